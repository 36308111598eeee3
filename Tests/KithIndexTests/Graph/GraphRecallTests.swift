import KithCore
import KithIndex
import Testing

@Suite struct GraphRecallTests {
    @Test("every element type and metric finds its neighbours", arguments: ElementType.allCases)
    func elementTypes(_ element: ElementType) throws {
        for metric in Metric.allCases where metric.accepts(element) {
            let dimension = element == .binary ? 64 : 16
            let test = try TestRows(
                .test(
                    dimension, element, metric,
                    ["degree": "24", "construction_window": "60", "search_window": "80"]), capacity: 8_000)
            test.appendRandom(8_000)
            let index = try test.makeIndex()
            try index.linkAll(upTo: test.count)
            try (index as? GraphIndex)?.checkInvariants()
            #expect(index.linkedCount == 8_000)
            let snapshot = test.snapshot()
            let comparisons = index.expectedComparisons(IndexQuery(vector: test.randomQuery(), topK: 10), in: snapshot)
            #expect(comparisons < 2_000, "the graph answers, not a scan")
            let recall = try test.recall(index)
            #expect(recall >= 0.95, "\(element) \(metric)")
        }
    }

    @Test("20,000 random vectors of 64 dimensions, with the defaults")
    func manyRandomVectors() throws {
        let test = try TestRows(.test(64), capacity: 20_000)
        test.appendRandom(20_000)
        let index = try test.makeIndex()
        try index.linkAll(upTo: test.count)
        try (index as? GraphIndex)?.checkInvariants()
        let recall = try test.recall(index, queries: 100)
        #expect(recall >= 0.95)
    }

    @Test("a crowd of equal vectors is no island")
    func copies() throws {
        let test = try TestRows(.test(8), capacity: 20_000)
        let copy = test.randomVector()
        for round in 0..<10_000 {
            test.append(round % 4 == 0 ? copy : test.randomVector())
        }
        for _ in 0..<2_000 { test.append(copy) }
        test.appendRandom(5_000)
        let index = try test.makeIndex()
        try index.linkAll(upTo: test.count)
        try (index as? GraphIndex)?.checkInvariants()
        #expect(try test.recall(index) >= 0.95)
        let near = try index.search(IndexQuery(vector: test.query(copy), topK: 100), in: test.snapshot())
        #expect(near.allSatisfy { $0.distance == 0 })
    }

    @Test("rounds of updates and deletes do not wear out recall")
    func updatesAndDeletes() throws {
        let test = try TestRows(.test(16, .float32, .cosine, ["search_window": "100"]), capacity: 60_000)
        test.appendRandom(10_000)
        let index = try test.makeIndex()
        try index.linkAll(upTo: test.count)
        var position: LogPosition = 1
        for _ in 0..<5 {
            // Half of what lives is replaced.
            let living = (0..<test.count).filter { !test.deaths.isDead($0) }
            position += 1
            for slot in living.shuffled(using: &test.random).prefix(5_000) { test.deaths.kill(slot, at: position) }
            test.appendRandom(5_000)
            try index.linkAll(upTo: test.count)
            try (index as? GraphIndex)?.checkInvariants()
            #expect(try test.recall(index, position: position) >= 0.95)
        }
    }
}
