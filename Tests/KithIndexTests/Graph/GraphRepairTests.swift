import KithCore
import KithIndex
import Testing

@Suite struct GraphRepairTests {
    /// Vectors in more clusters than walks have places to begin at.
    private struct Clusters {
        let centres: [[Float]]

        init(_ test: TestRows) { centres = (0..<500).map { _ in test.randomVector() } }

        func vector(_ test: TestRows) -> [Float] {
            test.near(centres[Int.random(in: 0..<centres.count, using: &test.random)])
        }
    }

    @Test("ten rounds that replace everything cost less than a point of recall", arguments: ["graph", "disk_graph"])
    func churn(_ kind: String) throws {
        let space = VectorSpace.test(24, .float32, .l2, index: kind)
        let test = try TestRows(space, capacity: 20_000)
        let clusters = Clusters(test)
        for _ in 0..<10_000 { test.append(clusters.vector(test)) }
        let index = try test.makeIndex()
        try index.linkAll(upTo: test.count)
        var position: LogPosition = 1
        let order = (0..<UInt32(10_000)).shuffled(using: &test.random)
        for round in 0..<10 {
            position += 1
            for slot in order[round * 1_000..<(round + 1) * 1_000] { test.deaths.kill(slot, at: position) }
            for _ in 0..<1_000 { test.append(clusters.vector(test)) }
            try index.linkAll(upTo: test.count)
            try (index as? GraphIndex)?.checkInvariants()
        }
        // At most a sixteenth and a round's are dead.
        #expect(try #require(index.checkpoint().attributes["nodes"]) <= 13_000)

        let fresh = try TestRows(space, capacity: 10_000)
        for slot in 10_000..<UInt32(20_000) { fresh.append(test.components(slot)) }
        let rebuilt = try fresh.makeIndex()
        try rebuilt.linkAll(upTo: fresh.count)
        let queries = (0..<1_000).map { _ in clusters.vector(test) }
        for effort in [10, 20] {
            let worn = try test.recall(index, queries: 1_000, effort: effort, position: position) { test.query(queries[$0]) }
            let new = try fresh.recall(rebuilt, queries: 1_000, effort: effort) { fresh.query(queries[$0]) }
            #expect(worn > new - 0.01, "effort \(effort): \(worn) after, \(new) of a fresh build")
        }
    }

    @Test("a search older than what has left the graph still sees it", arguments: [2_000, 6_000])
    func olderThanARepair(_ dead: UInt32) throws {
        let test = try TestRows(.test(8, .float32, .l2), capacity: 11_000)
        test.appendRandom(10_000)
        let index = try test.makeIndex()
        try index.linkAll(upTo: test.count)
        for slot in 0..<dead { test.deaths.kill(slot, at: 5) }
        test.appendRandom(1_000)
        try index.linkAll(upTo: test.count)
        let old = Snapshot(slotCount: 10_000, position: 4)
        var found = 0
        for _ in 0..<50 {
            let query = test.randomQuery()
            let truth = try test.sorted(query, in: old).prefix(10)
            let answer = try index.search(IndexQuery(vector: query, topK: 10, effort: 60), in: old)
            found += answer.filter(truth.contains).count
            let now = try index.search(IndexQuery(vector: query, topK: 10, effort: 60), in: test.snapshot(at: 5))
            #expect(now.count == 10)
            #expect(now.allSatisfy { $0.slot >= dead })
        }
        #expect(found >= 475)
    }

    @Test("everything dies, and others come")
    func everythingDies() throws {
        let test = try TestRows(.test(8, .float32, .cosine), capacity: 12_000)
        test.appendRandom(5_000)
        let index = try test.makeIndex()
        try index.linkAll(upTo: test.count)
        for slot in 0..<test.count { test.deaths.kill(slot, at: 2) }
        #expect(try index.search(IndexQuery(vector: test.randomQuery(), topK: 5), in: test.snapshot(at: 2)).isEmpty)
        test.appendRandom(6_000)
        try index.linkAll(upTo: test.count)
        try (index as? GraphIndex)?.checkInvariants()
        #expect(try test.recall(index, effort: 60, position: 2) >= 0.95)
    }
}
