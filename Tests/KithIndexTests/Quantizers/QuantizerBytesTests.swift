import KithCore
import KithIndex
import Testing

@Suite struct QuantizerBytesTests {
    private func restore(_ bytes: [UInt8], _ space: VectorSpace) throws -> Quantizer {
        try bytes.withUnsafeBytes { try QuantizerRegistry.builtIn.restore($0, space) }
    }

    @Test("a quantizer read back codes and estimates alike", arguments: QuantizerCase.all)
    func roundTrip(_ test: QuantizerCase) throws {
        for metric in [Metric.l2, .dot] {
            let rows = try CodedRows(.test(96, .float16, metric), test.kind, test.parameters, count: 300)
            let restored = try restore(rows.quantizer.serialized(), rows.test.space)
            #expect(restored.kind == test.kind)
            #expect(restored.version == rows.quantizer.version)
            #expect(CodedRows.encode(rows.test, restored) == rows.codes)
            let vector = rows.test.query(rows.test.clusteredVector())
            let expected = rows.estimates(vector)
            restored.prepare(vector, rows.query, rows.scratch)
            var estimates = [Float](repeating: .nan, count: 300)
            rows.query.scan(rows.codes, stride: restored.codeBytes, count: 300, into: &estimates)
            #expect(estimates == expected)
        }
    }

    @Test("any changed byte is refused", arguments: QuantizerCase.all)
    func refusesDamage(_ test: QuantizerCase) throws {
        let rows = try CodedRows(.test(20, .float32, .l2), test.kind, test.parameters, count: 100)
        let bytes = rows.quantizer.serialized()
        var random = SeededRandom(2)
        for index in Array(0..<64) + (0..<200).map({ _ in Int.random(in: 0..<bytes.count, using: &random) })
        where index < bytes.count {
            var damaged = bytes
            damaged[index] ^= UInt8.random(in: 1...255, using: &random)
            let error = #expect(throws: KithError.self, "byte \(index)") { try restore(damaged, rows.test.space) }
            #expect(error?.reason == .corruption)
        }
        for count in [0, 1, 15, 16, 17, bytes.count / 2, bytes.count - 1] {
            #expect(throws: KithError.self) { try restore(Array(bytes.prefix(count)), rows.test.space) }
        }
        #expect(throws: KithError.self) { try restore(bytes + [0], rows.test.space) }
        for space in [VectorSpace.test(21), .test(20, .float16), .test(20, .float32, .dot)] {
            #expect(throws: KithError.self) { try restore(bytes, space) }
        }
    }

    @Test("bytes of any content with a right checksum are refused, or make a quantizer that works", arguments: QuantizerCase.all)
    func fuzz(_ test: QuantizerCase) throws {
        let rows = try CodedRows(.test(20, .float32, .l2), test.kind, test.parameters, count: 50)
        let bytes = rows.quantizer.serialized()
        var random = SeededRandom(6)
        for round in 0..<300 {
            var body = Array(bytes[16...])
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                // Half the changes near the start, where numbers of things stand.
                let index = Int.random(in: 0..<(round % 2 == 0 ? min(60, body.count) : body.count), using: &random)
                body[index] = UInt8.random(in: 0...255, using: &random)
            }
            if round % 5 == 0 { body.removeLast(Int.random(in: 0...body.count, using: &random)) }
            var damaged = Array(bytes[..<8])
            damaged.appendLittleEndian(body.withUnsafeBytes { checksum64($0) })
            damaged += body
            do {
                let restored = try restore(damaged, rows.test.space)
                let codes = CodedRows.encode(rows.test, restored)
                restored.prepare(rows.test.randomQuery(), rows.query, rows.scratch)
                var estimates = [Float](repeating: 0, count: 50)
                rows.query.scan(codes, stride: restored.codeBytes, count: 50, into: &estimates)
            } catch let error as KithError {
                #expect(error.reason == .corruption)
            }
        }
    }

    @Test("parameters out of range are refused by name")
    func refusesParameters() throws {
        let registry = QuantizerRegistry.builtIn
        let space = VectorSpace.test(100)
        let wrong: [(String, [String: String], String)] = [
            ("rabitq", ["bits": "9"], "bits"), ("rabitq", ["bits": "0"], "bits"), ("rabitq", ["bits": "one"], "bits"),
            ("rabitq", ["parts": "4"], "parts"), ("scalar", ["bits": "5"], "bits"), ("scalar", ["scale": "local"], "scale"),
            ("pq", ["parts": "3"], "parts"), ("pq", ["parts": "0"], "parts"), ("opq", ["bits": "6"], "bits"),
            ("binary", ["bits": "1"], "bits"), ("none", [:], "quantizer"),
        ]
        for (kind, parameters, name) in wrong {
            let error = #expect(throws: KithError.self) {
                try registry.check(kind, QuantizerParameters(parameters, prefix: "code."), space)
            }
            #expect(error?.reason == .invalidIndexParameter)
            #expect(error?.metadata["parameter"] == "code.\(name)")
        }
        for metric in [Metric.l1, .hamming, .jaccard] {
            let element: ElementType = metric == .l1 ? .float32 : .binary
            #expect(throws: KithError.self) { try registry.check("rabitq", QuantizerParameters([:]), .test(8, element, metric)) }
        }
        #expect(throws: KithError.self) { try registry.check("opq", QuantizerParameters([:]), .test(2_000)) }
    }
}
