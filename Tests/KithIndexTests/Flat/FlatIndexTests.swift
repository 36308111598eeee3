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

    @Test("many queries at once are answered as each alone", arguments: ElementType.allCases)
    func batches(_ element: ElementType) throws {
        for metric in Metric.allCases where metric.accepts(element) {
            for kind in ["flat", "graph"] {
                let test = try TestRows(.test(24, element, metric, index: kind), capacity: 1_000)
                test.appendRandom(1_000)
                for slot in 0..<UInt32(1_000) where slot % 3 == 1 { test.deaths.kill(slot, at: LogPosition(slot)) }
                let index = try test.makeIndex()
                let queries = (0..<70).map { number in
                    // Each has memory of its own.
                    let query = UnsafeMutableRawPointer.allocate(byteCount: test.space.stride, alignment: 64)
                    query.copyMemory(from: test.randomQuery(), byteCount: test.space.vectorBytes)
                    return IndexQuery(vector: query, topK: [0, 1, 10, 2_000][number % 4], exact: true)
                }
                defer { for query in queries { query.vector.deallocate() } }
                let earlier = Snapshot(slotCount: 1_000, position: 400)
                for (count, snapshot) in [(70, earlier), (33, test.snapshot()), (2, test.snapshot())] {
                    let some = Array(queries.prefix(count))
                    let each = try some.map { try index.search($0, in: snapshot) }
                    #expect(try index.search(some, in: snapshot) == each)
                }
            }
        }
    }

    /// Vectors whose products lose all their digits: long ones close together, and some whose squares leave float32.
    @Test("many queries at once are exact however badly the vectors lie", arguments: [Metric.l2, .cosine, .dot])
    func badlyPlacedBatches(_ metric: Metric) throws {
        let test = try TestRows(.test(20, .float32, metric, index: "flat"), capacity: 3_000)
        var random = SeededRandom(5)
        for number in 0..<3_000 {
            let length: Float = [1, 1e4, 1e19, 1e-20, 0][number % 5]
            test.append((0..<20).map { _ in length * (1 + Float.random(in: -1e-5...1e-5, using: &random)) })
        }
        let index = try test.makeIndex()
        let queries = (0..<40).map { IndexQuery(vector: test.rows.row(UInt32($0 * 7)), topK: 15) }
        let each = try queries.map { try index.search($0, in: test.snapshot()) }
        #expect(try index.search(queries, in: test.snapshot()) == each)
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
        let kinds = ["disk_graph", "flat", "graph", "ivf_binary", "ivf_flat", "ivf_opq", "ivf_pq", "ivf_rabitq", "ivf_scalar"]
        #expect(IndexRegistry.builtIn.kinds == kinds)
        let error = #expect(throws: KithError.self) { try IndexRegistry.builtIn.maker("hnsw") }
        #expect(error?.reason == .unknownIndexKind)
        #expect(error?.message == "index.kind: 'hnsw' is none of \(kinds.joined(separator: ", "))")
    }
}
