import KithCore
import KithIndex
import Testing

@Suite struct GraphRepairTests {
    @Test("ten rounds that replace everything wear out neither recall nor memory", arguments: ["graph", "disk_graph"])
    func churn(_ kind: String) throws {
        let test = try TestRows(.test(16, .float32, .l2, index: kind), capacity: 30_000)
        test.appendRandom(10_000)
        let index = try test.makeIndex()
        try index.linkAll(upTo: test.count)
        let before = try test.recall(index, queries: 100, effort: 60)
        var position: LogPosition = 1
        for _ in 0..<10 {
            let living = (0..<test.count).filter { !test.deaths.isDead($0) }
            position += 1
            for slot in living.shuffled(using: &test.random).prefix(1_000) { test.deaths.kill(slot, at: position) }
            test.appendRandom(1_000)
            try index.linkAll(upTo: test.count)
            try (index as? GraphIndex)?.checkInvariants()
        }
        let after = try test.recall(index, queries: 100, effort: 60, position: position)
        #expect(after >= before - 0.02, "\(before) before, \(after) after")
        // At most an eighth and a round's are dead.
        #expect(try #require(index.checkpoint().attributes["nodes"]) <= 14_000)
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
