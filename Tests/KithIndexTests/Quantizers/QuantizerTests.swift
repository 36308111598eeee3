import KithCore
import KithIndex
import Testing

/// Kinds and parameters of every quantizer there is.
struct QuantizerCase: CustomTestStringConvertible, Sendable {
    var kind: String
    var parameters: [String: String] = [:]
    /// Recall@10 that estimates alone reach on clustered vectors of 64 dimensions.
    var recall: Double

    var testDescription: String {
        "\(kind) \(parameters.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: " "))"
    }

    static let all =
        (1...8).map {
            QuantizerCase(
                kind: "rabitq", parameters: ["bits": "\($0)"], recall: [0.45, 0.65, 0.8, 0.85, 0.9, 0.93, 0.95, 0.95][$0 - 1])
        } + [
            QuantizerCase(kind: "scalar", recall: 0.93),
            QuantizerCase(kind: "scalar", parameters: ["bits": "4"], recall: 0.8),
            QuantizerCase(kind: "scalar", parameters: ["scale": "global"], recall: 0.93),
            QuantizerCase(kind: "scalar", parameters: ["bits": "4", "scale": "global"], recall: 0.75),
            QuantizerCase(kind: "pq", recall: 0.6),
            QuantizerCase(kind: "pq", parameters: ["bits": "8", "parts": "16"], recall: 0.5),
            QuantizerCase(kind: "opq", recall: 0.6),
            QuantizerCase(kind: "binary", recall: 0.25),
        ]
}

/// Rows, a quantizer of them, and their codes.
struct CodedRows {
    let test: TestRows
    let quantizer: Quantizer
    let codes: [UInt8]
    let query = CodeQuery()
    let scratch = CodeScratch()

    init(_ space: VectorSpace, _ kind: String, _ parameters: [String: String] = [:], count: Int = 2_000) throws {
        test = try TestRows(space, capacity: count)
        test.appendClustered(count)
        quantizer = try QuantizerRegistry.builtIn.train(
            kind, QuantizerParameters(parameters), space, rows: test.rows, slots: Array(0..<UInt32(count)))
        codes = CodedRows.encode(test, quantizer)
    }

    static func encode(_ test: TestRows, _ quantizer: Quantizer) -> [UInt8] {
        var codes = [UInt8](repeating: 0, count: Int(test.count) * quantizer.codeBytes)
        let scratch = CodeScratch()
        codes.withUnsafeMutableBytes { codes in
            for slot in 0..<test.count {
                quantizer.encode(test.rows.row(slot), into: codes.baseAddress! + Int(slot) * quantizer.codeBytes, scratch)
            }
        }
        return codes
    }

    func estimates(_ vector: UnsafeRawPointer) -> [Float] {
        quantizer.prepare(vector, query, scratch)
        var estimates = [Float](repeating: .nan, count: Int(test.count))
        query.scan(codes, stride: quantizer.codeBytes, count: estimates.count, into: &estimates)
        return estimates
    }

    /// Exact distances, by slot.
    func distances(_ vector: UnsafeRawPointer) throws -> [Float] {
        try test.sorted(vector, in: test.snapshot()).sorted { $0.slot < $1.slot }.map(\.distance)
    }

    func recall(queries: Int = 30) throws -> Double {
        var found = 0
        for _ in 0..<queries {
            let vector = test.query(test.clusteredVector())
            let truth = try test.sorted(vector, in: test.snapshot()).prefix(10)
            let estimates = estimates(vector)
            let nearest = estimates.indices.sorted { estimates[$0] < estimates[$1] }.prefix(10)
            found += nearest.filter { slot in truth.contains { $0.slot == UInt32(slot) } }.count
        }
        return Double(found) / Double(10 * queries)
    }
}

extension TestRows {
    /// Components around one of 40 centres, as a model's vectors lie.
    func clusteredVector() -> [Float] {
        var centre = SeededRandom(UInt64.random(in: 0..<40, using: &random))
        let spread: Float = space.element.isFloatingPoint ? 0.5 : 40
        return (0..<space.dimension).map { _ in
            let middle = centre.component(space.element)
            let value = middle / 2 + Float.random(in: -spread...spread, using: &random)
            switch space.element {
            case .int8: return min(max(value.rounded(), -128), 127)
            case .uint8: return min(max(value.rounded(), 0), 255)
            default: return value
            }
        }
    }

    func appendClustered(_ number: Int) {
        for _ in 0..<number { append(clusteredVector()) }
    }
}

@Suite struct QuantizerTests {
    @Test("estimates alone find most of the nearest", arguments: QuantizerCase.all)
    func findsNearest(_ test: QuantizerCase) throws {
        for metric in [Metric.l2, .cosine, .dot] {
            let rows = try CodedRows(.test(64, .float32, metric), test.kind, test.parameters)
            let recall = try rows.recall()
            #expect(recall >= test.recall, "\(metric): \(recall)")
        }
    }

    @Test("every element type has codes", arguments: ElementType.allCases.filter { $0 != .binary })
    func elements(_ element: ElementType) throws {
        for metric in [Metric.l2, .cosine, .dot] {
            // A dimension that is no multiple of anything.
            let rows = try CodedRows(.test(75, element, metric), "rabitq", ["bits": "7"], count: 600)
            let recall = try rows.recall(queries: 10)
            #expect(recall >= 0.85, "\(metric): \(recall)")
        }
    }

    @Test("estimates of many rotations are right on average, and within their bound", arguments: [1, 2, 4, 7])
    func unbiased(_ bits: Int) throws {
        let space = VectorSpace.test(128, .float32, .l2)
        let test = try TestRows(space, capacity: 200)
        test.appendClustered(200)
        let slots = Array(0..<test.count)
        let vector = test.query(test.clusteredVector())
        let exact = try test.sorted(vector, in: test.snapshot()).sorted { $0.slot < $1.slot }.map(\.distance)
        var sums = [Double](repeating: 0, count: slots.count)
        var squares = sums
        var within = 0
        let rotations = 40
        for version in 1...UInt64(rotations) {
            let quantizer = try QuantizerRegistry.builtIn.train(
                "rabitq", QuantizerParameters(["bits": "\(bits)"]), space, rows: test.rows, slots: slots, version: version)
            let codes = CodedRows.encode(test, quantizer)
            let (query, scratch) = (CodeQuery(), CodeScratch())
            quantizer.prepare(vector, query, scratch)
            var estimates = [Float](repeating: 0, count: slots.count)
            query.scan(codes, stride: quantizer.codeBytes, count: estimates.count, into: &estimates)
            codes.withUnsafeBytes { codes in
                for slot in 0..<slots.count {
                    let difference = Double(estimates[slot] - exact[slot])
                    sums[slot] += difference
                    squares[slot] += difference * difference
                    let error = query.error(of: codes.baseAddress! + slot * quantizer.codeBytes)
                    if abs(difference) <= Double(error) { within += 1 }
                }
            }
        }
        // 1.9 deviations: 94 of 100 where errors are normally distributed.
        #expect(within >= slots.count * rotations * 92 / 100, "\(within)")
        // The bound is not idle: a third of it is crossed by many.
        let deviation = squares.reduce(0, +) / Double(slots.count * rotations)
        let mean = sums.reduce(0, +) / Double(slots.count * rotations)
        #expect(abs(mean) < 0.1 * deviation.squareRoot(), "\(mean), \(deviation.squareRoot())")
        let biased = sums.indices.filter {
            let mean = sums[$0] / Double(rotations)
            let variance = max(squares[$0] / Double(rotations) - mean * mean, 0)
            return abs(mean) > 3.5 * (variance / Double(rotations)).squareRoot()
        }
        #expect(biased.count <= slots.count / 20, "\(biased.count)")
    }

    @Test("gathers and blocks estimate what scans estimate", arguments: QuantizerCase.all)
    func forms(_ test: QuantizerCase) throws {
        let rows = try CodedRows(.test(96, .float32, .l2), test.kind, test.parameters, count: 500)
        let vector = rows.test.query(rows.test.clusteredVector())
        let scanned = rows.estimates(vector)
        var random = SeededRandom(9)
        let slots = (0..<UInt32(500)).shuffled(using: &random)
        var gathered = [Float](repeating: .nan, count: 500)
        rows.query.gather(rows.codes, stride: rows.quantizer.codeBytes, slots, count: 500, into: &gathered)
        #expect(gathered == slots.map { scanned[Int($0)] })

        guard let blockBytes = rows.quantizer.blockBytes else { return }
        var blocks = [UInt8](repeating: 0, count: 16 * blockBytes)
        blocks.withUnsafeMutableBytes { blocks in
            rows.codes.withUnsafeBytes { codes in
                for index in 0..<500 {
                    rows.quantizer.store(
                        codes.baseAddress! + index * rows.quantizer.codeBytes,
                        inBlock: blocks.baseAddress! + index / 32 * blockBytes,
                        at: index % 32)
                }
            }
        }
        var found = [Float](repeating: .nan, count: 16 * 32)
        rows.query.scanBlocks(blocks, stride: blockBytes, count: 16, into: &found)
        let exact = try rows.distances(vector)
        func error(_ estimates: [Float]) -> Float { zip(estimates, exact).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
        // Rounded tables add little to the error there is.
        #expect(error(Array(found.prefix(500))) < 1.1 * error(scanned))
    }

    @Test("more bits, smaller errors")
    func bitsHelp() throws {
        var last = Float.infinity
        for bits in 1...8 {
            let rows = try CodedRows(.test(128, .float32, .l2), "rabitq", ["bits": "\(bits)"], count: 300)
            let vector = rows.test.query(rows.test.clusteredVector())
            let exact = try rows.distances(vector)
            let error = zip(rows.estimates(vector), exact).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            #expect(error < last, "\(bits) bits")
            last = error
        }
    }

    @Test("a learned rotation loses less where components go together")
    func optimizedProduct() throws {
        let space = VectorSpace.test(64, .float32, .l2)
        let test = try TestRows(space, capacity: 3_000)
        // Six numbers behind 64 components: parts of a few components each say the same over and over.
        var random = SeededRandom(4)
        let mixing = (0..<64).map { _ in (0..<6).map { _ in Float.random(in: -1...1, using: &random) } }
        for _ in 0..<3_000 {
            let hidden = (0..<6).map { _ in Float.random(in: -1...1, using: &random) }
            test.append(mixing.map { row in zip(row, hidden).reduce(0) { $0 + $1.0 * $1.1 } })
        }
        let vector = UnsafeRawPointer(test.rows.row(17))
        let exact = try test.sorted(vector, in: test.snapshot()).sorted { $0.slot < $1.slot }.map(\.distance)
        func error(_ kind: String) throws -> Float {
            let quantizer = try QuantizerRegistry.builtIn.train(
                kind, QuantizerParameters(["parts": "8"]), space, rows: test.rows, slots: Array(0..<test.count))
            let codes = CodedRows.encode(test, quantizer)
            let query = CodeQuery()
            quantizer.prepare(vector, query, CodeScratch())
            var estimates = [Float](repeating: 0, count: exact.count)
            query.scan(codes, stride: quantizer.codeBytes, count: exact.count, into: &estimates)
            return zip(estimates, exact).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
        let (plain, rotated) = (try error("pq"), try error("opq"))
        #expect(rotated < 0.8 * plain, "\(rotated), \(plain)")
    }

    @Test("vectors without information are coded, and estimated by finite numbers", arguments: QuantizerCase.all)
    func degenerate(_ test: QuantizerCase) throws {
        for metric in [Metric.l2, .cosine, .dot] {
            let rows = try TestRows(.test(10, .float32, metric), capacity: 40)
            for _ in 0..<20 { rows.append([Float](repeating: 1, count: 10)) }
            for scale in [0, 1e-30, 1e18, 3e38] as [Float] { rows.append([Float](repeating: scale, count: 10)) }
            let quantizer = try QuantizerRegistry.builtIn.train(
                test.kind, QuantizerParameters(test.parameters.filter { $0.key != "parts" }), rows.space, rows: rows.rows,
                slots: [0, 1, 2])
            let codes = CodedRows.encode(rows, quantizer)
            let query = CodeQuery()
            for vector in 0..<rows.count {
                quantizer.prepare(rows.rows.row(vector), query, CodeScratch())
                var estimates = [Float](repeating: 0, count: Int(rows.count))
                query.scan(codes, stride: quantizer.codeBytes, count: estimates.count, into: &estimates)
                if vector < 20 {
                    #expect(estimates[..<20].allSatisfy { abs($0 - (metric == .dot ? -10 : 0)) < 1e-3 }, "\(metric) \(estimates)")
                }
            }
        }
    }
}
