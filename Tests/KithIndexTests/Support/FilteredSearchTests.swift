import KithCore
import KithIndex
import Testing

/// Filtered searches of every kind against a plain scan of what matches.
@Suite struct FilteredSearchTests {
    private static let count: UInt32 = 20_000
    private static let selectivities = [1, 0.5, 0.2, 0.05, 0.01, 0.001, 0.0001]
    private static let dimension = 8

    /// Slots at random, or those nearest to somewhere: what fits one query well, and another not at all.
    private static func filter(_ test: TestRows, _ share: Double, correlated: Bool) throws -> Set<UInt32> {
        let wanted = max(1, Int(Double(count) * share))
        if correlated { return Set(try test.sorted(test.randomQuery(), in: test.snapshot()).prefix(wanted).map(\.slot)) }
        return Set((0..<test.count).shuffled(using: &test.random).prefix(wanted))
    }

    @Test("every kind holds its recall at every selectivity", arguments: IndexRegistry.builtIn.kinds)
    func everyKind(_ kind: String) throws {
        let space = VectorSpace.test(FilteredSearchTests.dimension, index: kind)
        // A kind for other vectors has tests of its own.
        guard (try? IndexRegistry.builtIn.maker(kind).check(space)) != nil else { return }
        let test = try TestRows(space, capacity: Int(FilteredSearchTests.count))
        test.appendRandom(Int(FilteredSearchTests.count))
        for slot in 0..<test.count where slot % 10 == 3 { test.deaths.kill(slot, at: LogPosition(slot % 7 + 1)) }
        let index = try test.makeIndex()
        // A tenth stays in the tail.
        try index.linkAll(upTo: test.count / 10 * 9)
        for share in FilteredSearchTests.selectivities {
            for correlated in [false, true] {
                let matching = try FilteredSearchTests.filter(test, share, correlated: correlated)
                try check(index, test, matching, "\(kind), \(share), correlated \(correlated)")
            }
        }
        let nothing = IndexQuery(vector: test.randomQuery(), topK: 10, filter: SlotFilter([UInt32]()))
        #expect(try index.search(nothing, in: test.snapshot()).isEmpty)
    }

    private func check(_ index: any VectorIndex, _ test: TestRows, _ matching: Set<UInt32>, _ name: String) throws {
        let filter = SlotFilter(matching)
        let snapshot = test.snapshot(at: 4)
        var found = 0
        var wanted = 0
        for _ in 0..<10 {
            let vector = test.randomQuery()
            let truth = try test.sorted(vector, in: snapshot).filter { matching.contains($0.slot) }.prefix(10)
            let exact = try index.search(IndexQuery(vector: vector, topK: 10, exact: true, filter: filter), in: snapshot)
            #expect(exact == Array(truth), "\(name)")
            // Little effort, so that graphs walk where many match.
            let answer = try index.search(IndexQuery(vector: vector, topK: 10, effort: 60, filter: filter), in: snapshot)
            #expect(answer.allSatisfy { matching.contains($0.slot) && test.deaths.isVisible($0.slot, at: 4) }, "\(name)")
            #expect(answer.count == truth.count, "\(name)")
            found += answer.filter(truth.contains).count
            wanted += truth.count
        }
        #expect(Double(found) >= 0.9 * Double(wanted), "\(name): \(found) of \(wanted)")
    }

    @Test("the rule scans what few match and walks what many do")
    func rule() throws {
        let test = try TestRows(.test(4, .float32, .l2, ["search_window": "20"]), capacity: 20_000)
        test.appendRandom(20_000)
        let index = try test.makeIndex()
        try index.linkAll(upTo: test.count)
        func comparisons(_ matches: UInt32) -> Int {
            index.expectedComparisons(
                IndexQuery(vector: test.randomQuery(), topK: 10, filter: SlotFilter(0..<matches)), in: test.snapshot())
        }
        for few: UInt32 in [1, 100, 1_000] { #expect(comparisons(few) == Int(few)) }
        #expect(comparisons(20_000) < 2_000)
        #expect(comparisons(15_000) > comparisons(20_000))
    }

    @Test("a filtered scan is abandoned when asked")
    func isAbandoned() throws {
        let test = try TestRows(.test(2, index: "flat"), capacity: 100_000)
        test.appendRandom(100_000)
        let index = try test.makeIndex()
        for filter in [SlotFilter(stride(from: 0, to: 100_000, by: 5)), SlotFilter(0..<90_000)] {
            let query = IndexQuery(vector: test.randomQuery(), topK: 1, filter: filter, shouldStop: { true })
            #expect(throws: KithError.self) { try index.search(query, in: test.snapshot()) }
        }
    }
}
