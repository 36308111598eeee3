import KithCore
import KithIndex
import Testing

@Suite struct RecallTargetTests {
    @Test func effortGrowsWithTheTargetBeforeAnythingIsMeasured() {
        let efforts = [0.5, 0.8, 0.9, 0.95, 0.99, 0.999].map { GraphParameters.effort(forRecall: $0) }
        #expect(efforts == efforts.sorted())
        #expect(Set(efforts).count == efforts.count)
    }

    /// Data as hard as it gets, data as it comes, and bytes with ties.
    enum Sample { case uniform, clusters, bytes }

    static let cases: [(sample: Sample, kind: String)] = [
        (.uniform, "graph"), (.clusters, "graph"), (.bytes, "graph"), (.clusters, "disk_graph"),
        (.uniform, "ivf_flat"), (.clusters, "ivf_flat"), (.clusters, "ivf_rabitq"), (.bytes, "ivf_rabitq"),
    ]

    /// Queries are few here, and samples: so much of a figure is chance, by answer size.
    private static func chance(topK: Int) -> Double { topK == 1 ? 0.05 : 0.025 }

    @Test(
        "a recall target is reached, and not by far, on queries that nobody has seen", arguments: cases)
    func targets(_ sample: Sample, kind: String) throws {
        let test = try SampledRows(sample, kind: kind, count: 16_000)
        let index = try test.rows.makeIndex()
        try index.linkAll(upTo: test.rows.count)
        for topK in [1, 10] {
            for target: Float in [0.9, 0.97] {
                let recall = try test.rows.recall(index, queries: 500, topK: topK, recallTarget: target) { _ in test.query() }
                #expect(recall >= Double(target) - Self.chance(topK: topK), "top \(topK), \(target)")
                // The least there is to a search may find more than was asked for.
                if target == 0.97, kind.hasPrefix("ivf") || sample == .uniform {
                    #expect(recall <= Double(target) + Self.chance(topK: topK), "top \(topK), \(target)")
                }
            }
        }
        let everything = try test.rows.recall(index, queries: 20, recallTarget: 1) { _ in test.query() }
        #expect(everything == 1)
    }

    @Test("recall follows the index as it grows", arguments: ["graph", "ivf_flat"])
    func growth(kind: String) throws {
        let test = try SampledRows(.clusters, kind: kind, count: 20_000)
        let index = try test.rows.makeIndex()
        for count: UInt32 in [11_000, 12_000, 20_000] {
            try index.linkAll(upTo: count)
            let snapshot = Snapshot(slotCount: count, position: 1)
            var (found, wanted) = (0, 0)
            for _ in 0..<300 {
                let query = test.query()
                let truth = try index.search(IndexQuery(vector: query, topK: 10, exact: true), in: snapshot)
                let answer = try index.search(IndexQuery(vector: query, topK: 10, recallTarget: 0.95), in: snapshot)
                found += Set(answer.map(\.slot)).intersection(truth.map(\.slot)).count
                wanted += truth.count
            }
            #expect(Double(found) / Double(wanted) >= 0.95 - Self.chance(topK: 10), "\(count)")
        }
    }

    @Test("what was measured survives a checkpoint", arguments: ["graph", "ivf_flat"])
    func checkpoint(kind: String) throws {
        let test = try SampledRows(.clusters, kind: kind, count: 12_000)
        let index = try test.rows.makeIndex()
        try index.linkAll(upTo: test.rows.count)
        let restored = try test.rows.restore(test.rows.reread(index.checkpoint()))
        for target: Float in [0.6, 0.9, 0.99] {
            let query = IndexQuery(vector: test.query(), topK: 10, recallTarget: target)
            let comparisons = index.expectedComparisons(query, in: test.rows.snapshot())
            #expect(restored.expectedComparisons(query, in: test.rows.snapshot()) == comparisons)
        }
        #expect(!restored.hasWork(upTo: test.rows.count))
    }

    @Test("vectors that died while they were measured are not taken for missed ones", arguments: ["graph", "ivf_flat"])
    func deaths(kind: String) throws {
        let test = try SampledRows(.clusters, kind: kind, count: 12_000)
        let index = try test.rows.makeIndex()
        while index.hasWork(upTo: test.rows.count) {
            let linked = try index.link(upTo: test.rows.count, limit: 1_000)
            for _ in 0..<20 where linked > 0 {
                test.rows.deaths.kill(UInt32.random(in: 0..<linked, using: &test.rows.random), at: 1)
            }
        }
        for target: Float in [0.9, 0.97] {
            let recall = try test.rows.recall(index, queries: 400, recallTarget: target) { _ in test.query() }
            #expect(recall >= Double(target) - Self.chance(topK: 10), "\(target)")
        }
    }

    /// Rows of a kind, and queries of the same kind.
    private final class SampledRows {
        let rows: TestRows
        private var centres: [[Float]] = []

        init(_ sample: Sample, kind: String, count: Int) throws {
            let space: VectorSpace =
                switch sample {
                case .uniform: .test(16, .float32, .l2, index: kind)
                case .clusters: .test(64, .float32, .cosine, index: kind)
                case .bytes: .test(16, .uint8, .l2, index: kind)
                }
            rows = try TestRows(space, capacity: count)
            if sample == .clusters { centres = (0..<200).map { _ in rows.randomVector() } }
            for _ in 0..<count { rows.append(vector()) }
        }

        func query() -> UnsafeRawPointer { rows.query(vector()) }

        private func vector() -> [Float] {
            guard let centre = centres.randomElement(using: &rows.random) else { return rows.randomVector() }
            return centre.map { $0 + 0.3 * rows.random.component(.float32) }
        }
    }
}
