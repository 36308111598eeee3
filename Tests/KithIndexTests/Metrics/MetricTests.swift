import Foundation
import KithCore
import KithIndex
import Testing

@Suite struct MetricTests {
    private static let kinds = ["flat", "graph", "disk_graph", "ivf_flat"]

    private func parameters(_ kind: String, _ own: [String: String]) -> [String: String] {
        switch kind {
        case "graph", "disk_graph": own.merging(["search_window": "100"]) { $1 }
        case "flat": own
        default: own.merging(["train_at": "1000", "lists": "20", "probes": "20"]) { $1 }
        }
    }

    /// The share of the true nearest by a distance of the test's own, and the greatest difference from it.
    private func compare(
        _ rows: TestRows, _ vectors: [[Float]], _ index: any VectorIndexReader, _ distance: ([Float], [Float]) -> Float
    ) throws -> (recall: Double, error: Float) {
        var (found, error) = (0, Float(0))
        for _ in 0..<20 {
            let query = rows.randomVector()
            let exact = vectors.indices.map { Neighbour(distance: distance(query, vectors[$0]), slot: UInt32($0)) }
            let truth = Set(exact.sorted { $0.distance < $1.distance }.prefix(10).map(\.slot))
            let answer = try index.search(IndexQuery(vector: rows.query(query), topK: 10), in: rows.snapshot())
            found += answer.filter { truth.contains($0.slot) }.count
            for neighbour in answer {
                let expected = exact[Int(neighbour.slot)].distance
                error = max(error, abs(neighbour.distance - expected) / max(expected, 1))
            }
        }
        return (Double(found) / 200, error)
    }

    @Test("a metric registered in code is used by every kind", arguments: kinds)
    func chebyshev(_ kind: String) throws {
        let rows = try TestRows(.test(6, .float32, .l1, index: kind, parameters(kind, ["metric": "chebyshev"])), capacity: 3_000)
        let vectors = (0..<3_000).map { _ in rows.randomVector() }
        for vector in vectors { rows.append(vector) }
        let index = try rows.makeIndex()
        try index.linkAll(upTo: 3_000)
        let (recall, error) = try compare(rows, vectors, index) { zip($0, $1).map { abs($0 - $1) }.max() ?? 0 }
        #expect(recall >= 0.95, "\(recall)")
        #expect(error < 1e-6)
    }

    /// M = A A' + 1, which is symmetric and positive definite.
    private func matrix(_ size: Int) -> [[Float]] {
        var random = SeededRandom(8)
        let factor = (0..<size).map { _ in (0..<size).map { _ in Float.random(in: -1...1, using: &random) } }
        return (0..<size).map { row in
            (0..<size).map { column in zip(factor[row], factor[column]).reduce(row == column ? 1 : 0) { $0 + $1.0 * $1.1 } }
        }
    }

    private func mahalanobis(_ matrix: [[Float]], _ a: [Float], _ b: [Float]) -> Float {
        let difference = zip(a, b).map { $0 - $1 }
        return zip(difference, matrix).reduce(0) { $0 + $1.0 * zip($1.1, difference).reduce(0) { $0 + $1.0 * $1.1 } }
    }

    private func base64(_ matrix: [[Float]]) -> String {
        var bytes: [UInt8] = []
        for value in matrix.joined() { bytes.appendLittleEndian(value.bitPattern) }
        return Data(bytes).base64EncodedString()
    }

    @Test("the distance of a given matrix, by every kind, linked and not", arguments: kinds + ["ivf_rabitq"])
    func givenMatrix(_ kind: String) throws {
        let matrix = matrix(10)
        let space = VectorSpace.test(10, .float32, .l2, index: kind, parameters(kind, ["mahalanobis": base64(matrix)]))
        let rows = try TestRows(space, capacity: 3_000)
        let vectors = (0..<3_000).map { _ in rows.randomVector() }
        for vector in vectors { rows.append(vector) }
        let index = try rows.makeIndex()
        for count in [0, 2_500] as [UInt32] {
            try index.linkAll(upTo: count)
            let (recall, error) = try compare(rows, vectors, index) { mahalanobis(matrix, $0, $1) }
            #expect(recall >= 0.95, "\(count): \(recall)")
            #expect(error < 1e-4)
        }
        #expect(index.linkedCount == (kind == "flat" ? 0 : 2_500))
        // The rows that the matrix makes of them.
        #expect(index.footprint.memoryBytes >= 2_500 * 10 * MemoryLayout<Float>.size)
        if kind == "disk_graph" {
            let tiers = try #require(index as? any TieredIndex)
            #expect(index.footprint.linkBytes > 0 && tiers.keepsLinksInMemory)
            tiers.keepsLinksInMemory = false
            #expect(!tiers.keepsLinksInMemory)
        }
        let filter = SlotFilter((0..<UInt32(3_000)).filter { $0 % 3 == 0 })
        let query = IndexQuery(vector: rows.randomQuery(), topK: 10, filter: filter)
        #expect(try index.search(query, in: rows.snapshot()).allSatisfy { $0.slot % 3 == 0 })

        let restored = try IndexRegistry.builtIn.maker(kind).restore(rows.context, from: reread(index.checkpoint(), space))
        let again = IndexQuery(vector: rows.randomQuery(), topK: 10)
        #expect(try restored.search(again, in: rows.snapshot()) == index.search(again, in: rows.snapshot()))
    }

    private func reread(_ checkpoint: IndexCheckpoint, _ space: VectorSpace) throws -> RestoredCheckpoint {
        var sections: [String: (memory: GrowableMemory, byteCount: Int)] = [:]
        let capacities = try IndexRegistry.builtIn.maker(space.index.kind).sectionCapacities(space)
        for section in checkpoint.sections {
            let memory = try GrowableMemory(capacity: #require(capacities[section.name]))
            if let base = section.bytes.baseAddress { memory.base.copyMemory(from: base, byteCount: section.bytes.count) }
            sections[section.name] = (memory, section.bytes.count)
        }
        return RestoredCheckpoint(attributes: checkpoint.attributes, sections: sections)
    }

    @Test("a learned matrix makes all directions weigh alike, and survives a checkpoint", arguments: ["flat", "ivf_rabitq"])
    func learnedMatrix(_ kind: String) throws {
        let space = VectorSpace.test(5, .float16, .l2, index: kind, parameters(kind, ["mahalanobis": "learned"]))
        let rows = try TestRows(space, capacity: 2_000)
        let scales: [Float] = [100, 10, 1, 0.1, 0.01]
        for _ in 0..<2_000 { rows.append(zip(rows.randomVector(), scales).map { $0 * $1 }) }
        let index = try rows.makeIndex()
        #expect(!index.hasWork(upTo: 1_000))
        try index.linkAll(upTo: 2_000)
        // One step in any direction, in units of what is usual there, is as far as in any other.
        func distance(_ component: Int) throws -> Float {
            var moved: [Float] = [0, 0, 0, 0, 0]
            moved[component] = scales[component]
            let zero = try index.search(IndexQuery(vector: rows.query(moved), topK: 1), in: rows.snapshot())
            return try #require(zero.first).distance
        }
        let distances = try (0..<3).map(distance)
        #expect(try #require(distances.max()) < 1, "\(distances)")
        let restored = try IndexRegistry.builtIn.maker(kind).restore(rows.context, from: reread(index.checkpoint(), space))
        for _ in 0..<10 {
            let query = IndexQuery(vector: rows.query(zip(rows.randomVector(), scales).map { $0 * $1 }), topK: 10)
            #expect(try restored.search(query, in: rows.snapshot()) == index.search(query, in: rows.snapshot()))
        }
        var damaged = try reread(index.checkpoint(), space)
        damaged.sections["transform"]?.memory.base.storeBytes(of: Float.nan, as: Float.self)
        #expect(throws: KithError.self) { try IndexRegistry.builtIn.maker(kind).restore(rows.context, from: damaged) }
        damaged = try reread(index.checkpoint(), space)
        damaged.sections["transform"] = nil
        #expect(throws: KithError.self) { try IndexRegistry.builtIn.maker(kind).restore(rows.context, from: damaged) }
    }

    @Test("definitions that make no sense are refused by name")
    func refuses() throws {
        let identity = (0..<4).map { row in (0..<4).map { Float(row == $0 ? 1 : 0) } }
        var skewed = identity
        skewed[0][1] = 1
        var negative = identity
        negative[2][2] = -1
        var infinite = identity
        infinite[3][3] = .infinity
        let wrong: [(VectorSpace, String)] = [
            (.test(4, index: "flat", ["metric": "hyperbolic"]), "metric"),
            (.test(4, .int8, .l2, index: "flat", ["metric": "chebyshev"]), "metric"),
            (.test(4, index: "flat", ["mahalanobis": "yes"]), "mahalanobis"),
            (.test(5, index: "flat", ["mahalanobis": base64(identity)]), "mahalanobis"),
            (.test(4, .float32, .dot, index: "flat", ["mahalanobis": base64(identity)]), "mahalanobis"),
            (.test(4, index: "flat", ["mahalanobis": base64(skewed)]), "mahalanobis"),
            (.test(4, index: "flat", ["mahalanobis": base64(negative)]), "mahalanobis"),
            (.test(4, index: "flat", ["mahalanobis": base64(infinite)]), "mahalanobis"),
            (.test(4, index: "flat", ["mahalanobis": "learned", "metric": "chebyshev"]), "mahalanobis"),
            (.test(2_000, index: "flat", ["mahalanobis": "learned"]), "mahalanobis"),
        ]
        for (space, name) in wrong {
            let error = #expect(throws: KithError.self) { try IndexRegistry.builtIn.maker("flat").check(space) }
            #expect(error?.reason == .invalidIndexParameter)
            #expect(error?.metadata["parameter"] == name)
        }
        try IndexRegistry.builtIn.maker("graph").check(.test(4, .float32, .l2, ["mahalanobis": base64(identity), "degree": "8"]))
    }
}
