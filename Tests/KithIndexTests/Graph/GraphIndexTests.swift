import KithCore
import KithIndex
import Synchronization
import Testing

/// Set once, seen by every thread.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() { value.store(true, ordering: .releasing) }
}

@Suite struct GraphIndexTests {
    @Test("what is not linked yet is found, and left out when asked")
    func tail() throws {
        let test = try TestRows(.test(12), capacity: 12_000)
        test.appendRandom(12_000)
        let index = try test.makeIndex()
        #expect(try index.link(upTo: 10_000, limit: 9_000) == 9_000)
        #expect(index.hasWork(upTo: 10_000))
        #expect(try index.link(upTo: 10_000, limit: 9_000) == 10_000)
        #expect(!index.hasWork(upTo: 10_000))
        for slot in [10_000, 11_999] as [UInt32] {
            let query = IndexQuery(vector: test.rows.row(slot), topK: 1)
            #expect(try index.search(query, in: test.snapshot()).map(\.slot) == [slot])
            var indexedOnly = query
            indexedOnly.indexedOnly = true
            #expect(try index.search(indexedOnly, in: test.snapshot()).allSatisfy { $0.slot < 10_000 })
            let earlier = Snapshot(slotCount: slot, position: 1)
            #expect(try index.search(query, in: earlier).allSatisfy { $0.slot < slot })
        }
        #expect(
            index.expectedComparisons(IndexQuery(vector: test.randomQuery(), topK: 1, exact: true), in: test.snapshot()) == 12_000
        )
    }

    @Test("a snapshot older than the links sees only its own slots")
    func olderSnapshot() throws {
        let test = try TestRows(.test(12, .float32, .l2, ["search_window": "64"]), capacity: 20_000)
        test.appendRandom(20_000)
        let index = try test.makeIndex()
        try index.linkAll(upTo: 20_000)
        let snapshot = Snapshot(slotCount: 15_000, position: 1)
        var found = 0
        for _ in 0..<50 {
            let query = test.randomQuery()
            let answer = try index.search(IndexQuery(vector: query, topK: 10), in: snapshot)
            #expect(answer.count == 10)
            #expect(answer.allSatisfy { $0.slot < 15_000 })
            let truth = try test.sorted(query, in: snapshot).prefix(10)
            found += answer.filter { truth.contains($0) }.count
        }
        #expect(found >= 475)
    }

    @Test("a search sees the dead that died after its snapshot, and never those before")
    func deaths() throws {
        let test = try TestRows(.test(8, .float32, .l2, ["search_window": "50"]), capacity: 10_000)
        test.appendRandom(10_000)
        let index = try test.makeIndex()
        try index.linkAll(upTo: 10_000)
        for slot in 0..<UInt32(10_000) where slot % 4 != 0 { test.deaths.kill(slot, at: 7) }
        for _ in 0..<20 {
            let query = IndexQuery(vector: test.randomQuery(), topK: 10)
            let before = try index.search(query, in: test.snapshot(at: 6))
            #expect(before.contains { $0.slot % 4 != 0 })
            let after = try index.search(query, in: test.snapshot(at: 7))
            #expect(after.count == 10)
            #expect(after.allSatisfy { $0.slot % 4 == 0 })
        }
    }

    @Test("a search walks wider by the share of the dead, so that it need not walk twice")
    func widerAmongDead() throws {
        let test = try TestRows(.test(8, .float32, .l2, ["search_window": "20"]), capacity: 10_000)
        test.appendRandom(10_000)
        let index = try test.makeIndex()
        try index.linkAll(upTo: 10_000)
        let query = IndexQuery(vector: test.randomQuery(), topK: 10)
        let before = index.expectedComparisons(query, in: test.snapshot())
        for slot in stride(from: 0, to: 10_000, by: 25) as StrideTo<UInt32> { test.deaths.kill(slot, at: 2) }
        // Too few to be taken out, but known of from here on.
        #expect(!index.hasWork(upTo: 10_000))
        let wider = Double(index.expectedComparisons(query, in: test.snapshot(at: 2))) / Double(before)
        #expect((1.02...1.15).contains(wider))
    }

    @Test("few survivors among many dead are all found", arguments: [0, 1, 3, 40])
    func fewSurvivors(_ survivors: UInt32) throws {
        let test = try TestRows(.test(8, .float32, .l2, ["search_window": "20"]), capacity: 10_000)
        test.appendRandom(10_000)
        let index = try test.makeIndex()
        try index.linkAll(upTo: 10_000)
        for slot in survivors..<10_000 { test.deaths.kill(slot, at: 2) }
        for _ in 0..<5 {
            let query = test.randomQuery()
            let answer = try index.search(IndexQuery(vector: query, topK: 20), in: test.snapshot(at: 2))
            #expect(try answer == Array(test.sorted(query, in: test.snapshot(at: 2)).prefix(20)))
        }
    }

    @Test("slots that died before they were linked are passed over")
    func deadBeforeLinked() throws {
        let test = try TestRows(.test(4), capacity: 3_000)
        test.appendRandom(3_000)
        for slot in 0..<UInt32(2_990) { test.deaths.kill(slot, at: 1) }
        let index = try test.makeIndex()
        #expect(try index.link(upTo: 3_000, limit: 10) == 3_000)
        try (index as? GraphIndex)?.checkInvariants()
        let answer = try index.search(IndexQuery(vector: test.randomQuery(), topK: 20), in: test.snapshot())
        #expect(Set(answer.map(\.slot)) == Set(2_990..<3_000))
    }

    @Test func empty() throws {
        let test = try TestRows(.test(4), capacity: 10)
        let index = try test.makeIndex()
        #expect(!index.hasWork(upTo: 0))
        #expect(try index.link(upTo: 0, limit: 10) == 0)
        #expect(try index.search(IndexQuery(vector: test.randomQuery(), topK: 5), in: test.snapshot()).isEmpty)
        #expect(try index.search(IndexQuery(vector: test.randomQuery(), topK: 0), in: test.snapshot()).isEmpty)
    }

    @Test("the graph does not depend on how many threads link")
    func deterministic() throws {
        let indexes = try [1, 3].map { threads in
            let test = try TestRows(
                .test(16, .float32, .l2, ["link_threads": "\(threads)"]), capacity: 4_000)
            test.appendRandom(4_000)
            let index = try test.makeIndex()
            try index.linkAll(upTo: 4_000)
            return index
        }
        withExtendedLifetime(indexes) {
            let (first, second) = (indexes[0].checkpoint(), indexes[1].checkpoint())
            #expect(first.attributes == second.attributes)
            for (a, b) in zip(first.sections, second.sections) { #expect(a.bytes.elementsEqual(b.bytes)) }
        }
    }

    @Test func parametersAreChecked() throws {
        let maker = try IndexRegistry.builtIn.maker("graph")
        let good = [
            "degree": "48", "construction_window": "200", "search_window": "64", "alpha": "1.1", "codes": "sq4",
            "link_threads": "2",
        ]
        try maker.check(.test(4, .float32, .l2, good))
        let bad = [
            ("degree", "7"), ("degree", "129"), ("degree", "x"), ("construction_window", "7"), ("search_window", "0"),
            ("alpha", "0.9"), ("alpha", "nan"), ("codes", "sq2"), ("link_threads", "65"), ("m", "16"),
        ]
        for (name, value) in bad {
            let error = #expect(throws: KithError.self) {
                try maker.check(.test(4, .float32, .l2, [name: value]))
            }
            #expect(error?.reason == .invalidIndexParameter)
            #expect(error?.violations.first?.field == "index.parameters[\"\(name)\"]")
        }
        #expect(throws: KithError.self) { try maker.check(.test(8, .binary, .hamming, ["codes": "sq8"])) }
        try maker.check(.test(8, .binary, .hamming))
    }

    @Test("searches run beside the thread that links, and beside deaths")
    func concurrentSearches() async throws {
        let test = try TestRows(
            .test(8, .float32, .l2, ["degree": "8", "construction_window": "40", "search_window": "30"]),
            capacity: 12_000)
        test.appendRandom(12_000)
        let index = try test.makeIndex()
        let queries = (0..<16).map { _ in test.randomVector() }
        let done = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for searcher in 0..<3 {
                group.addTask {
                    var round = searcher
                    while !done.isSet || round < 50 {
                        let answer = try queries[round % queries.count].withUnsafeBytes { bytes in
                            let query = try IndexQuery(vector: #require(bytes.baseAddress), topK: 10)
                            return try index.search(query, in: Snapshot(slotCount: 12_000, position: 1))
                        }
                        #expect(answer.count == 10)
                        #expect(zip(answer, answer.dropFirst()).allSatisfy { $0.distance <= $1.distance })
                        #expect(Set(answer.map(\.slot)).count == 10)
                        round += 1
                        // The linking task shares these threads.
                        await Task.yield()
                    }
                }
            }
            group.addTask {
                defer { done.set() }
                // A little is linked, more than half of that dies, the rest is linked: the graph is renewed under way.
                while try index.link(upTo: 6_000, limit: 100) < 6_000 {}
                for slot in 0..<UInt32(4_000) { test.deaths.kill(slot, at: 1) }
                try index.linkAll(upTo: 12_000)
            }
            try await group.waitForAll()
        }
        try (index as? GraphIndex)?.checkInvariants()
        #expect(try test.recall(index) >= 0.9)
    }
}
