import KithCore
import KithIndex
import Testing

/// What is linked in a hurry is found at once, and linked with care when nothing waits.
@Suite struct HurriedLinkingTests {
    private static let count: UInt32 = 8_000

    private static func rows() throws -> TestRows {
        let test = try TestRows(.test(24), capacity: Int(count), seed: 7)
        test.appendRandom(Int(count))
        return test
    }

    private static func linkInHurry(_ index: any VectorIndex) throws {
        while index.linkedCount < count { _ = try index.link(upTo: count, limit: 500, inHurry: true) }
    }

    /// Over the same queries for all.
    private static func recall(_ index: any VectorIndex, _ test: TestRows) throws -> Double {
        let queries = try TestRows(.test(24), capacity: 200, seed: 99)
        queries.appendRandom(200)
        return try test.recall(index, queries: 200, effort: 20) { queries.rows.row(UInt32($0)) }
    }

    @Test func careMakesUpForHurry() throws {
        let test = try HurriedLinkingTests.rows()
        let careful = try test.makeIndex()
        try careful.linkAll(upTo: HurriedLinkingTests.count)
        let index = try test.makeIndex()
        try HurriedLinkingTests.linkInHurry(index)
        try (index as? GraphIndex)?.checkInvariants()
        let inHurry = try HurriedLinkingTests.recall(index, test)
        #expect(index.hasWork(upTo: HurriedLinkingTests.count))
        try index.linkAll(upTo: HurriedLinkingTests.count)
        try (index as? GraphIndex)?.checkInvariants()
        let refined = try HurriedLinkingTests.recall(index, test)
        #expect(inHurry > 0.5)
        #expect(refined > inHurry)
        #expect(try refined >= HurriedLinkingTests.recall(careful, test) - 0.03)
        #expect(!index.hasWork(upTo: HurriedLinkingTests.count))
    }

    @Test("a restored graph is linked with care too", arguments: ["graph", "disk_graph"])
    func checkpoints(_ kind: String) throws {
        let test = try TestRows(.test(24, .float32, .l2, index: kind, [:]), capacity: Int(HurriedLinkingTests.count), seed: 7)
        test.appendRandom(Int(HurriedLinkingTests.count))
        let index = try test.makeIndex()
        try HurriedLinkingTests.linkInHurry(index)
        let saved = index.checkpoint()
        let restored = try test.restore(test.reread(saved))
        #expect(restored.hasWork(upTo: HurriedLinkingTests.count))
        try index.linkAll(upTo: HurriedLinkingTests.count)
        try restored.linkAll(upTo: HurriedLinkingTests.count)
        try (restored as? GraphIndex)?.checkInvariants()
        #expect(try HurriedLinkingTests.recall(restored, test) == HurriedLinkingTests.recall(index, test))

        let wild = try test.reread(saved)
        wild.sections["hurried"]?.memory.base.storeBytes(of: HurriedLinkingTests.count, as: UInt32.self)
        #expect(throws: KithError.self) { try test.restore(wild) }
        var twice = try test.reread(saved)
        twice.sections["hurried"]?.memory.base.storeBytes(of: 1, as: UInt32.self)
        twice.sections["hurried"]?.memory.base.storeBytes(of: 1, toByteOffset: 4, as: UInt32.self)
        #expect(throws: KithError.self) { try test.restore(twice) }
        twice.sections["hurried"] = nil
        #expect(throws: KithError.self) { try test.restore(twice) }
    }

    @Test("nodes that die before they are linked with care are not linked again")
    func deaths() throws {
        let test = try HurriedLinkingTests.rows()
        let index = try test.makeIndex()
        try HurriedLinkingTests.linkInHurry(index)
        for slot in 0..<HurriedLinkingTests.count where slot % 4 == 0 { test.deaths.kill(slot, at: 1) }
        try index.linkAll(upTo: HurriedLinkingTests.count)
        try (index as? GraphIndex)?.checkInvariants()
        let answer = try index.search(IndexQuery(vector: test.randomQuery(), topK: 100), in: test.snapshot())
        #expect(answer.count == 100 && answer.allSatisfy { $0.slot % 4 != 0 })
        #expect(try HurriedLinkingTests.recall(index, test) > 0.5)
    }
}
