internal import CVectorKernels
internal import KithCore

/// Product quantization: a vector is cut into parts, each replaced by the nearest of 16 or 256 centres. Jegou, Douze and Schmid, TPAMI 2011.
struct ProductCodebook: Codebook {
    let width: Int
    let parts: Int
    let bits: Int
    /// By part, its centres; each `width / parts` numbers.
    let centres: [Float]

    private var partWidth: Int { width / parts }
    private var centreCount: Int { 1 << bits }

    var payloadBytes: Int { bits == 8 ? parts : (parts + 1) / 2 }
    var kernel: kith_code_kernel { codeKernel(bits == 8 ? KITH_CODES_TABLE8 : KITH_CODES_TABLE4) }
    var hasBlocks: Bool { bits == 4 }
    var hasErrorBound: Bool { false }

    func encode(
        _ residual: UnsafePointer<Float>, into payload: UnsafeMutableRawPointer, decoded: UnsafeMutablePointer<Float>
    ) {
        payload.initializeMemory(as: UInt8.self, repeating: 0, count: payloadBytes)
        let bytes = payload.assumingMemoryBound(to: UInt8.self)
        centres.withUnsafeBufferPointer { centres in
            for part in 0..<parts {
                let from = residual + part * partWidth
                let table = centres.baseAddress! + part * centreCount * partWidth
                var nearest: UInt32 = 0
                var distance: Float = 0
                NearestCentre.find(from, 0..<1, width: partWidth, centres: table, count: centreCount, &nearest, &distance)
                (decoded + part * partWidth).update(from: table + Int(nearest) * partWidth, count: partWidth)
                if bits == 8 { bytes[part] = UInt8(nearest) } else { bytes[part / 2] |= UInt8(nearest) << UInt8(part % 2 * 4) }
            }
        }
    }

    func prepare(_ placed: UnsafePointer<Float>, _ query: CodeQuery) {
        let tableBytes = 4 * parts * centreCount
        let memory = query.room(tableBytes + (hasBlocks ? kith_codes_lookup_bytes(parts) : 0))
        let tables = memory.assumingMemoryBound(to: Float.self)
        centres.withUnsafeBufferPointer { centres in
            for part in 0..<parts {
                let from = centres.baseAddress! + part * centreCount * partWidth
                let table = tables + part * centreCount
                FloatKernels.dot.scan(placed + part * partWidth, from, 4 * partWidth, centreCount, partWidth, 1, table)
                for number in 0..<centreCount { table[number] = -table[number] }
            }
        }
        query.query.data = UnsafeRawPointer(memory)
        query.query.count = parts
        query.query.bits = bits
        if hasBlocks {
            let lookup = (memory + tableBytes).assumingMemoryBound(to: UInt8.self)
            query.setLookup(tables, parts: parts, lookup)
        }
    }

    func serialize(into bytes: inout [UInt8]) {
        bytes.append(UInt8(bits))
        bytes.appendLittleEndian(UInt32(parts))
        bytes.appendFloats(centres)
    }

    init(width: Int, parts: Int, bits: Int, centres: [Float]) {
        self.width = width
        self.parts = parts
        self.bits = bits
        self.centres = centres
    }

    init(_ reader: inout ByteReader, width: Int) throws(KithError) {
        let bits = Int(try reader.byte())
        let parts = Int(try reader.littleEndian(UInt32.self))
        guard bits == 4 || bits == 8, (1...width).contains(parts), width % parts == 0 else {
            throw KithError(.dataLoss, .corruption, "a product quantizer has no such parts, or no such number of bits")
        }
        self.init(width: width, parts: parts, bits: bits, centres: try reader.floats((1 << bits) * width))
    }
}

extension ProductCodebook {
    /// Rows that each centre of a part is learned from, at most.
    private static let rowsPerCentre = 256

    /// Learns the centres of each part on its own.
    init(learnedFrom sample: TrainingSample, parts: Int, bits: Int, iterations: Int) {
        let partWidth = sample.width / parts
        let count = min(sample.count, ProductCodebook.rowsPerCentre << bits)
        var centres: [Float] = []
        for part in 0..<parts {
            var rows: [Float] = []
            rows.reserveCapacity(count * partWidth)
            for row in 0..<count {
                let first = row * sample.width + part * partWidth
                rows += sample.values[first..<first + partWidth]
            }
            var learned = KMeans(
                rows: rows, width: partWidth, centres: 1 << bits, iterations: iterations, seed: UInt64(part),
                threads: GentleThreads.standardCount
            ).run()
            // Fewer rows than centres: the rest repeat the first.
            while learned.count < partWidth << bits { learned += learned.prefix(partWidth) }
            centres += learned
        }
        self.init(width: sample.width, parts: parts, bits: bits, centres: centres)
    }
}
