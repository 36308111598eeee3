import KithCore
import KithIndex
import Testing

@Suite struct FlatIndexTests {
    @Test("answers what sorting everything answers", arguments: ElementType.allCases)
    func agreesWithSorting(_ element: ElementType) throws {
        for metric in Metric.allCases where metric.accepts(element) {
            let test = try TestRows(.test(24, element, metric, index: "flat"), capacity: 3_000)
            test.appendRandom(3_000)
            for slot in 0..<UInt32(3_000) where slot % 3 == 1 { test.deaths.kill(slot, at: LogPosition(slot)) }
            let index = try test.makeIndex()
            for (slotCount, position) in [(3_000, 5_000), (3_000, 1_500), (700, 300), (1, 1), (0, 1)] as [(UInt32, LogPosition)] {
                let snapshot = Snapshot(slotCount: slotCount, position: position)
                for topK in [1, 10, 5_000] {
                    let query = test.randomQuery()
                    let answer = try index.search(IndexQuery(vector: query, topK: topK), in: snapshot)
                    #expect(try answer == Array(test.sorted(query, in: snapshot).prefix(topK)))
                }
            }
        }
    }

    @Test("equal distances come in order of slot")
    func ties() throws {
        let test = try TestRows(.test(3, index: "flat"), capacity: 2_000)
        for _ in 0..<2_000 { test.append([1, 2, 3]) }
        let answer = try test.makeIndex().search(IndexQuery(vector: test.query([0, 0, 0]), topK: 100), in: test.snapshot())
        #expect(answer.map(\.slot) == Array(0..<100))
    }

    @Test func isAbandonedWhenAsked() throws {
        let test = try TestRows(.test(2, index: "flat"), capacity: 100_000)
        test.appendRandom(100_000)
        let query = IndexQuery(vector: test.randomQuery(), topK: 1, shouldStop: { true })
        let index = try test.makeIndex()
        #expect(throws: KithError(.cancelled, .cancelled, "the search was abandoned")) {
            try index.search(query, in: test.snapshot())
        }
    }

    @Test func hasNoParameters() throws {
        let maker = try IndexRegistry.builtIn.maker("flat")
        try maker.check(.test(4, index: "flat"))
        #expect(throws: KithError.self) { try maker.check(.test(4, index: "flat", ["degree": "8"])) }
    }

    @Test func registryNamesItsKinds() throws {
        #expect(IndexRegistry.builtIn.kinds == ["disk_graph", "flat", "graph", "ivf_flat", "ivf_pq", "ivf_rabitq"])
        let error = #expect(throws: KithError.self) { try IndexRegistry.builtIn.maker("hnsw") }
        #expect(error?.reason == .unknownIndexKind)
        #expect(error?.message == "index.kind: 'hnsw' is none of disk_graph, flat, graph, ivf_flat, ivf_pq, ivf_rabitq")
    }
}
