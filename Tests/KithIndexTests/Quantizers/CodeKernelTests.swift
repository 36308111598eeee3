import CVectorKernels
import Testing

@Suite struct CodeKernelTests {
    private static let levels = (1..<UInt8(KITH_SIMD_LEVELS)).filter { kith_simd_supported($0) }

    /// Random bytes and a query of a form over them.
    private struct Case {
        var query = kith_code_query()
        let memory: UnsafeMutableRawPointer
        let codes: UnsafeMutableRawPointer
        let stride: Int
        let count = 67

        init(form: Int, bits: Int, components: Int, _ random: inout SeededRandom) {
            let payload: Int
            let room = 1 << 20
            memory = .allocate(byteCount: 4 * room, alignment: 64)
            for index in 0..<room {
                memory.storeBytes(of: Float.random(in: -1...1, using: &random), toByteOffset: 4 * index, as: Float.self)
            }
            query.data = UnsafeRawPointer(memory)
            query.bits = bits
            query.count = components
            query.factors = 2
            query.bias = 0.25
            query.unit = 0.01
            query.offset = -3
            switch form {
            case KITH_CODES_PACKED:
                payload = components / 8 * bits
                for index in 0..<components {
                    memory.storeBytes(of: Int8.random(in: -127...127, using: &random), toByteOffset: index, as: Int8.self)
                }
            case KITH_CODES_TABLE4: payload = (components + 1) / 2
            case KITH_CODES_TABLE8: payload = components
            default:
                payload = components / 8
                query.table = UnsafePointer(memory.assumingMemoryBound(to: Float.self)) + 4_096
            }
            stride = 8 + payload + 3
            codes = .allocate(byteCount: count * stride, alignment: 1)
            for index in 0..<count * stride {
                codes.storeBytes(of: UInt8.random(in: 0...255, using: &random), toByteOffset: index, as: UInt8.self)
            }
            for code in 0..<count {
                for factor in 0..<2 {
                    codes.storeBytes(
                        of: Float.random(in: -1...1, using: &random), toByteOffset: code * stride + 4 * factor, as: Float.self)
                }
                // A part that is not there is looked up too: it is zero.
                if form == KITH_CODES_TABLE4, components % 2 == 1 {
                    let last = code * stride + 8 + payload - 1
                    codes.storeBytes(
                        of: codes.load(fromByteOffset: last, as: UInt8.self) & 15, toByteOffset: last, as: UInt8.self)
                }
            }
        }

        func free() {
            memory.deallocate()
            codes.deallocate()
        }
    }

    @Test("every level gives the scalar one's estimates, bit for bit", arguments: 0..<KITH_CODES_FORMS)
    func levelsAgree(_ form: Int) throws {
        var random = SeededRandom(3)
        let scalar = try #require(kith_code_kernel_at(0, UInt8(form))).pointee
        for bits in form == KITH_CODES_PACKED ? Array(1...8) : [4] {
            for components in form == KITH_CODES_PACKED || form == KITH_CODES_SIGNS
                ? [64, 128, 192, 1_024] : [1, 2, 3, 5, 32, 63]
            {
                var test = Case(form: form, bits: bits, components: components, &random)
                defer { test.free() }
                var expected = [Float](repeating: 0, count: test.count)
                scalar.scan(&test.query, test.codes, test.stride, test.count, &expected)
                let slots: [UInt32] = (0..<UInt32(test.count)).shuffled(using: &random)
                for level in 0..<UInt8(KITH_SIMD_LEVELS) where kith_simd_supported(level) {
                    let kernel = try #require(kith_code_kernel_at(level, UInt8(form))).pointee
                    var scanned = [Float](repeating: .nan, count: test.count)
                    kernel.scan(&test.query, test.codes, test.stride, test.count, &scanned)
                    #expect(scanned == expected, "level \(level), \(bits) bits, \(components)")
                    var gathered = [Float](repeating: .nan, count: test.count)
                    kernel.gather(&test.query, test.codes, test.stride, slots, test.count, &gathered)
                    #expect(gathered == slots.map { expected[Int($0)] })
                }
            }
        }
    }

    @Test("packed sums are those of plain arithmetic", arguments: 1...8)
    func packedSums(_ bits: Int) throws {
        var random = SeededRandom(5)
        let width = 192
        let numbers = (0..<width).map { _ in UInt8.random(in: 0...UInt8((1 << bits) - 1), using: &random) }
        let weights = (0..<width).map { _ in Int8.random(in: -127...127, using: &random) }
        var code = [UInt8](repeating: 0, count: 8 + width / 8 * bits)
        code.withUnsafeMutableBytes { code in
            code.storeBytes(of: 2, toByteOffset: 0, as: Float.self)
            code.storeBytes(of: 0.5, toByteOffset: 4, as: Float.self)
            kith_codes_pack(numbers, width, bits, code.baseAddress! + 8)
        }
        var back = [UInt8](repeating: 0, count: width)
        code.withUnsafeBytes { kith_codes_unpack($0.baseAddress! + 8, width, bits, &back) }
        #expect(back == numbers)
        let sum = zip(numbers, weights).reduce(0) { $0 + Int($1.0) * Int($1.1) }
        try weights.withUnsafeBytes { weights in
            var query = kith_code_query()
            query.data = weights.baseAddress
            query.bits = bits
            query.count = width
            query.factors = 2
            query.unit = 1
            let kernel = try #require(kith_code_kernel_at(0, UInt8(KITH_CODES_PACKED))).pointee
            var estimate: Float = 0
            kernel.scan(&query, code, code.count, 1, &estimate)
            #expect(estimate == 2 + 0.5 * Float(sum))
        }
    }

    @Test(
        "blocks give what scalar blocks give, and rows but for the rounding of tables",
        arguments: [1, 2, 3, 4, 63, 64, 129, 2_048])
    func blocks(_ parts: Int) throws {
        var random = SeededRandom(UInt64(parts))
        var test = Case(form: KITH_CODES_TABLE4, bits: 4, components: parts, &random)
        defer { test.free() }
        let payload = (parts + 1) / 2
        let blockBytes = 32 * (8 + payload)
        var blocks = [UInt8](repeating: 0, count: 2 * blockBytes)
        var code = [UInt8](repeating: 0, count: 8 + payload)
        blocks.withUnsafeMutableBytes { blocks in
            for index in 0..<64 {
                let block = blocks.baseAddress! + index / 32 * blockBytes
                kith_codes_store_in_block(test.codes + index * test.stride, 2, payload, index % 32, block)
                kith_codes_load_from_block(block, 2, payload, index % 32, &code)
                #expect(code.elementsEqual(UnsafeRawBufferPointer(start: test.codes + index * test.stride, count: code.count)))
            }
        }
        var lookup = [UInt8](repeating: 0, count: kith_codes_lookup_bytes(parts))
        kith_codes_lookup(
            test.memory.assumingMemoryBound(to: Float.self), parts, &lookup, &test.query.lookup_unit, &test.query.lookup_offset)
        try lookup.withUnsafeBufferPointer { lookup in
            test.query.lookup = lookup.baseAddress
            let scalar = try #require(kith_code_kernel_at(0, UInt8(KITH_CODES_TABLE4))).pointee
            var expected = [Float](repeating: 0, count: 64)
            scalar.blocks?(&test.query, blocks, blockBytes, 2, &expected)
            for level in CodeKernelTests.levels {
                var found = [Float](repeating: .nan, count: 64)
                try #require(kith_code_kernel_at(level, UInt8(KITH_CODES_TABLE4))).pointee.blocks?(
                    &test.query, blocks, blockBytes, 2, &found)
                #expect(found == expected, "level \(level)")
            }
            var rows = [Float](repeating: 0, count: 64)
            scalar.scan(&test.query, test.codes, test.stride, 64, &rows)
            for (block, row) in zip(expected, rows) {
                #expect(abs(block - row) <= test.query.lookup_unit * Float(parts) / 2 + 1e-4 * Float(parts))
            }
        }
    }

    @Test func refusesFormsThatAreNotThere() {
        #expect(kith_code_kernel_for(UInt8(KITH_CODES_FORMS)) == nil)
        #expect(kith_code_kernel_at(99, 0) == nil)
    }

    @Test("the Hadamard transform keeps lengths and is its own inverse")
    func hadamard() {
        var random = SeededRandom(1)
        for count in [8, 64, 512] {
            let values = (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
            var turned = values
            kith_hadamard(&turned, count)
            func square(_ values: [Float]) -> Float { values.reduce(0) { $0 + $1 * $1 } }
            #expect(abs(square(turned) - square(values)) < 1e-4 * square(values))
            kith_hadamard(&turned, count)
            #expect(zip(turned, values).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }
}
