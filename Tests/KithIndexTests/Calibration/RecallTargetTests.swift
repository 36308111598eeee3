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
    enum Sample: CaseIterable { case uniform, clusters, bytes }

    @Test("a recall target is reached, and not by far, on queries that nobody has seen", arguments: Sample.allCases)
    func targets(_ sample: Sample) throws {
        let test = try SampledRows(sample, count: 40_000)
        let index = try test.rows.makeIndex()
        try index.linkAll(upTo: test.rows.count)
        for (topK, tolerance) in [(1, 0.035), (10, 0.03), (40, 0.03)] {
            for target: Float in [0.9, 0.97] {
                let recall = try test.rows.recall(index, queries: 500, topK: topK, recallTarget: target) { _ in test.query() }
                #expect(recall >= Double(target) - tolerance, "\(sample) top \(topK), \(target)")
                // Otherwise the least effort may find more than was asked for.
                if topK == 10, target == 0.97 {
                    #expect(recall <= Double(target) + tolerance, "\(sample) top \(topK), \(target)")
                }
            }
        }
        let everything = try test.rows.recall(index, queries: 20, recallTarget: 1) { _ in test.query() }
        #expect(everything == 1)
    }

    @Test func whatWasMeasuredSurvivesACheckpoint() throws {
        let test = try SampledRows(.clusters, count: 20_000)
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

    /// Rows of a kind, and queries of the same kind.
    private final class SampledRows {
        let rows: TestRows
        private var centres: [[Float]] = []

        init(_ sample: Sample, count: Int) throws {
            let space: VectorSpace =
                switch sample {
                case .uniform: .test(24, .float32, .l2)
                case .clusters: .test(96, .float32, .cosine)
                case .bytes: .test(16, .uint8, .l2)
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
