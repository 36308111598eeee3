internal import CVectorKernels
internal import KithCore

/// Whole numbers of 8 or 4 bits a component, spaced evenly in an interval of the component's own, the same for all vectors.
struct IntervalCodebook: Codebook {
    let bits: Int
    /// By component: what number 0 stands for, and how far apart numbers are.
    let least: [Float]
    let steps: [Float]

    var payloadBytes: Int { least.count / 8 * bits }
    var kernel: kith_code_kernel { codeKernel(KITH_CODES_PACKED) }
    var hasBlocks: Bool { false }
    var hasErrorBound: Bool { false }

    private var greatest: Float { Float((1 << bits) - 1) }

    func encode(
        _ residual: UnsafePointer<Float>, into payload: UnsafeMutableRawPointer, decoded: UnsafeMutablePointer<Float>
    ) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: least.count) { numbers in
            for index in 0..<least.count {
                let place = steps[index] > 0 ? (residual[index] - least[index]) / steps[index] + 0.5 : 0
                // Written so that NaN becomes a number.
                let number = place > 0 ? (place < greatest ? UInt8(place) : UInt8(greatest)) : 0
                numbers[index] = number
                decoded[index] = least[index] + steps[index] * Float(number)
            }
            kith_codes_pack(numbers.baseAddress!, least.count, bits, payload)
        }
    }

    func prepare(_ placed: UnsafePointer<Float>, _ query: CodeQuery) {
        let width = least.count
        let rounded = query.room(width).assumingMemoryBound(to: Int8.self)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { weights in
            for index in 0..<width { weights[index] = placed[index] * steps[index] }
            query.setPacked(weights.baseAddress!, rounded, width: width, bits: bits)
        }
        query.query.offset = least.withUnsafeBufferPointer { dot($0.baseAddress!, placed, width) }
    }

    func serialize(into bytes: inout [UInt8]) {
        bytes.append(ScalarMaker.globalMark)
        bytes.append(UInt8(bits))
        bytes.appendFloats(least)
        bytes.appendFloats(steps)
    }

    /// Intervals from the least to the greatest component of the sample.
    init(learnedFrom sample: TrainingSample, bits: Int) {
        var least = [Float](repeating: 0, count: sample.width)
        var most = least
        for component in 0..<sample.width where sample.count > 0 {
            (least[component], most[component]) = (.infinity, -.infinity)
        }
        for row in 0..<sample.count {
            for component in 0..<sample.width {
                let value = sample.values[row * sample.width + component]
                least[component] = min(least[component], value)
                most[component] = max(most[component], value)
            }
        }
        self.bits = bits
        self.least = least
        steps = zip(least, most).map { ($1 - $0) / Float((1 << bits) - 1) }
    }

    init(_ reader: inout ByteReader, width: Int) throws(KithError) {
        bits = Int(try reader.byte())
        guard bits == 8 || bits == 4 else {
            throw KithError(.dataLoss, .corruption, "a scalar quantizer has no such number of bits")
        }
        least = try reader.floats(width)
        steps = try reader.floats(width)
    }
}
