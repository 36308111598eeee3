internal import CVectorKernels
internal import KithCore

/// Whole numbers of 1 to 8 bits a component, spaced evenly around zero, with a step of each vector's own.
struct UniformCodebook: Codebook {
    /// How a vector's step is chosen.
    enum Step: UInt8 {
        /// From the least to the greatest component.
        case fullRange = 0
        /// So that the code's direction is the nearest: Gao and others, arXiv 2409.09913, by trying steps around the best one
        /// for components that are normally distributed.
        case nearestDirection = 1
    }

    let width: Int
    let bits: Int
    let step: Step

    var payloadBytes: Int { width / 8 * bits }
    var kernel: kith_code_kernel { codeKernel(KITH_CODES_PACKED) }
    var hasBlocks: Bool { bits == 1 }
    var hasErrorBound: Bool { step == .nearestDirection }

    /// The best step of a uniform quantizer for normally distributed numbers, by bits, in standard deviations. Max, 1960.
    private static let normalSteps: [Float] = [0, 1.596, 0.9957, 0.586, 0.3352, 0.1881, 0.1041, 0.0569, 0.0308]
    private static let triedFactors: [Float] = [0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.35]

    func encode(
        _ residual: UnsafePointer<Float>, into payload: UnsafeMutableRawPointer, decoded: UnsafeMutablePointer<Float>
    ) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: width) { numbers in
            let numbers = numbers.baseAddress!
            var product: Float = 0
            var square: Float = 0
            kith_codes_round(residual, width, bits, bestStep(residual, numbers), numbers, &product, &square)
            kith_codes_pack(numbers, width, bits, payload)
            let middle = Float((1 << bits) - 1) / 2
            for index in 0..<width { decoded[index] = Float(numbers[index]) - middle }
        }
    }

    private func bestStep(_ residual: UnsafePointer<Float>, _ numbers: UnsafeMutablePointer<UInt8>) -> Float {
        switch step {
        case .fullRange:
            var greatest: Float = 0
            for index in 0..<width { greatest = max(greatest, abs(residual[index])) }
            return 2 * greatest / Float(1 << bits)
        case .nearestDirection:
            let deviation = (dot(residual, residual, width) / Float(width)).squareRoot()
            let standard = UniformCodebook.normalSteps[bits] * deviation
            guard bits > 1 else { return standard }
            var best = (cosine: -Float.infinity, step: standard)
            for factor in UniformCodebook.triedFactors {
                var product: Float = 0
                var square: Float = 0
                kith_codes_round(residual, width, bits, factor * standard, numbers, &product, &square)
                let cosine = product / square.squareRoot()
                if cosine > best.cosine { best = (cosine, factor * standard) }
            }
            return best.step
        }
    }

    func prepare(_ placed: UnsafePointer<Float>, _ query: CodeQuery) {
        let lookupBytes = hasBlocks ? kith_codes_lookup_bytes(width / 4) : 0
        let memory = query.room(width + lookupBytes)
        let rounded = memory.assumingMemoryBound(to: Int8.self)
        query.setPacked(placed, rounded, width: width, bits: bits)
        var sum: Int32 = 0
        for index in 0..<width { sum += Int32(rounded[index]) }
        query.query.offset = -query.query.unit * Float(sum) * Float((1 << bits) - 1) / 2
        if hasBlocks { query.setBitLookup(placed, (memory + width).assumingMemoryBound(to: UInt8.self), width: width) }
    }

    func serialize(into bytes: inout [UInt8]) {
        bytes.append(UInt8(bits))
        bytes.append(step.rawValue)
    }

    init(width: Int, bits: Int, step: Step) {
        self.width = width
        self.bits = bits
        self.step = step
    }

    init(_ reader: inout ByteReader, width: Int) throws(KithError) {
        let bits = Int(try reader.byte())
        guard (1...8).contains(bits), let step = Step(rawValue: try reader.byte()) else {
            throw KithError(.dataLoss, .corruption, "a quantizer has no such number of bits, or no such step")
        }
        self.init(width: width, bits: bits, step: step)
    }
}

/// The active level's kernel.
func codeKernel(_ form: Int) -> kith_code_kernel {
    guard let kernel = kith_code_kernel_for(UInt8(form)) else { preconditionFailure("every level has every form of codes") }
    return kernel.pointee
}

extension CodeQuery {
    /// Rounds weights to int8 for packed codes: `product` is then their inner product with the numbers.
    func setPacked(_ weights: UnsafePointer<Float>, _ rounded: UnsafeMutablePointer<Int8>, width: Int, bits: Int) {
        query.unit = kith_codes_round_query(weights, width, rounded)
        query.data = UnsafeRawPointer(rounded)
        query.count = width
        query.bits = bits
    }

    /// Lookups for blocks of one bit a component: each part's table holds the sums of four components, plus or minus a half each.
    func setBitLookup(_ placed: UnsafePointer<Float>, _ lookup: UnsafeMutablePointer<UInt8>, width: Int) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 4 * width) { tables in
            for part in 0..<width / 4 {
                let table = tables.baseAddress! + 16 * part
                table[0] = -(placed[4 * part] + placed[4 * part + 1] + placed[4 * part + 2] + placed[4 * part + 3]) / 2
                for number in 1..<16 {
                    let lowest = number.trailingZeroBitCount
                    table[number] = table[number & (number - 1)] + placed[4 * part + lowest]
                }
            }
            setLookup(tables.baseAddress!, parts: width / 4, lookup)
        }
    }

    /// Rounds tables of 16 numbers a part for blocks.
    func setLookup(_ tables: UnsafePointer<Float>, parts: Int, _ lookup: UnsafeMutablePointer<UInt8>) {
        var (unit, offset): (Float, Float) = (0, 0)
        kith_codes_lookup(tables, parts, lookup, &unit, &offset)
        query.lookup_unit = unit
        query.lookup_offset = offset
        query.lookup = UnsafePointer(lookup)
    }
}
