import KithCore
import KithIndex
import Testing

/// A definition of inverted lists, and the recall@10 it is to reach on clustered vectors.
struct IVFCase: CustomTestStringConvertible, Sendable {
    var kind: String
    var parameters: [String: String] = [:]
    var recall: Double

    var testDescription: String {
        "\(kind) \(parameters.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: " "))"
    }

    static let all = [
        IVFCase(kind: "ivf_flat", recall: 0.97),
        IVFCase(kind: "ivf_pq", recall: 0.9),
        IVFCase(kind: "ivf_pq", parameters: ["quantizer": "opq", "bits": "8"], recall: 0.85),
        IVFCase(kind: "ivf_rabitq", recall: 0.95),
        IVFCase(kind: "ivf_rabitq", parameters: ["bits": "4"], recall: 0.95),
        IVFCase(kind: "ivf_scalar", recall: 0.97),
        IVFCase(kind: "ivf_scalar", parameters: ["bits": "4", "scale": "global"], recall: 0.95),
        IVFCase(kind: "ivf_binary", recall: 0.9),
    ]

    func space(_ dimension: Int, _ element: ElementType = .float32, _ metric: Metric = .l2, trainAt: Int = 1_000) -> VectorSpace {
        let own = ["train_at": "\(trainAt)", "lists": "40", "probes": "20"]
        return .test(dimension, element, metric, index: kind, parameters.merging(own) { $1 })
    }
}

@Suite struct IVFIndexTests {
    private func recall(_ test: TestRows, _ index: any VectorIndexReader, effort: Int? = nil) throws -> Double {
        var found = 0
        for _ in 0..<30 {
            let vector = test.query(test.clusteredVector())
            let truth = try test.sorted(vector, in: test.snapshot()).prefix(10)
            let answer = try index.search(IndexQuery(vector: vector, topK: 10, effort: effort), in: test.snapshot())
            #expect(answer.count == 10)
            for (one, next) in zip(answer, answer.dropFirst()) { #expect((one.distance, one.slot) < (next.distance, next.slot)) }
            found += answer.filter { truth.contains($0) }.count
        }
        return Double(found) / 300
    }

    @Test("finds most of the nearest, by every metric", arguments: IVFCase.all)
    func metrics(_ test: IVFCase) throws {
        for metric in [Metric.l2, .cosine, .dot] {
            let rows = try TestRows(test.space(48, .float32, metric), capacity: 3_000)
            rows.appendClustered(3_000)
            let index = try rows.makeIndex()
            try index.linkAll(upTo: 3_000)
            #expect(index.linkedCount == 3_000)
            let slotBytes = 3_000 * MemoryLayout<UInt32>.size
            #expect(index.footprint.memoryBytes > slotBytes && index.footprint.linkBytes == 0)
            try (index as? IVFIndex)?.checkInvariants()
            let recall = try recall(rows, index)
            #expect(recall >= test.recall, "\(metric): \(recall)")
        }
    }

    @Test("full lists compare every element type by every metric", arguments: ElementType.allCases)
    func elements(_ element: ElementType) throws {
        for metric in Metric.allCases where metric.accepts(element) {
            let rows = try TestRows(IVFCase.all[0].space(70, element, metric), capacity: 1_500)
            rows.appendRandom(1_500)
            let index = try rows.makeIndex()
            try index.linkAll(upTo: 1_500)
            #expect(index.linkedCount == 1_500)
            // All lists: exact.
            let vector = rows.randomQuery()
            let answer = try index.search(IndexQuery(vector: vector, topK: 20, effort: 40), in: rows.snapshot())
            #expect(try answer == Array(rows.sorted(vector, in: rows.snapshot()).prefix(20)), "\(metric)")
        }
    }

    @Test("coded lists take every element type they have codes of", arguments: ElementType.allCases.filter { $0 != .binary })
    func codedElements(_ element: ElementType) throws {
        let rows = try TestRows(IVFCase.all[4].space(40, element, .l2), capacity: 1_500)
        rows.appendClustered(1_500)
        let index = try rows.makeIndex()
        try index.linkAll(upTo: 1_500)
        let recall = try recall(rows, index)
        #expect(recall >= 0.9, "\(recall)")
    }

    @Test("before it is trained all is scanned, and nothing waits", arguments: IVFCase.all)
    func untrained(_ test: IVFCase) throws {
        let rows = try TestRows(test.space(12, trainAt: 500), capacity: 1_000)
        rows.appendRandom(499)
        let index = try rows.makeIndex()
        #expect(!index.hasWork(upTo: 499))
        #expect(index.linkableSlots == 0)
        #expect(try index.link(upTo: 499, limit: 100) == 0)
        let vector = rows.randomQuery()
        #expect(
            try index.search(IndexQuery(vector: vector, topK: 7), in: rows.snapshot())
                == Array(rows.sorted(vector, in: rows.snapshot()).prefix(7)))
        rows.appendRandom(1)
        #expect(index.hasWork(upTo: 500))
        try index.linkAll(upTo: 500)
        #expect(index.linkedCount == 500)
        #expect(index.linkableSlots > 500)
    }

    @Test("what is not linked yet is found, and left out when asked", arguments: IVFCase.all)
    func tail(_ test: IVFCase) throws {
        let rows = try TestRows(test.space(12), capacity: 2_000)
        rows.appendRandom(2_000)
        let index = try rows.makeIndex()
        try index.linkAll(upTo: 1_500)
        for slot in [1_500, 1_999] as [UInt32] {
            var query = IndexQuery(vector: rows.rows.row(slot), topK: 1)
            #expect(try index.search(query, in: rows.snapshot()).map(\.slot) == [slot])
            query.indexedOnly = true
            #expect(try index.search(query, in: rows.snapshot()).allSatisfy { $0.slot < 1_500 })
            let earlier = Snapshot(slotCount: 1_200, position: 1)
            #expect(
                try index.search(IndexQuery(vector: rows.rows.row(slot), topK: 30), in: earlier).allSatisfy { $0.slot < 1_200 })
        }
    }

    @Test("the dead are left out at their position, and out of the lists after a training", arguments: IVFCase.all)
    func deaths(_ test: IVFCase) throws {
        let rows = try TestRows(test.space(24), capacity: 4_000)
        rows.appendClustered(4_000)
        let index = try #require(rows.makeIndex() as? IVFIndex)
        try index.linkAll(upTo: 4_000)
        for slot in 0..<UInt32(4_000) where slot % 5 != 0 { rows.deaths.kill(slot, at: 7) }
        let query = IndexQuery(vector: rows.randomQuery(), topK: 50)
        #expect(try index.search(query, in: rows.snapshot(at: 6)).contains { $0.slot % 5 != 0 })
        for _ in 0..<2 {
            let after = try index.search(query, in: rows.snapshot(at: 7))
            #expect(after.count == 50)
            #expect(after.allSatisfy { $0.slot % 5 == 0 })
            try index.linkAll(upTo: 4_000)
        }
        #expect(index.trainingCount == 2)
        #expect(index.entryCount == 800)
        try index.checkInvariants()
        #expect(try recall(rows, index, effort: 40) > 0)
    }

    @Test("is trained anew when vectors move away from what was learned, or grow manyfold")
    func drift() throws {
        func index(_ parameters: [String: String]) throws -> (TestRows, IVFIndex) {
            let rows = try TestRows(
                .test(16, index: "ivf_rabitq", parameters.merging(["train_at": "1000"]) { $1 }), capacity: 8_000)
            rows.appendClustered(1_500)
            let index = try #require(rows.makeIndex() as? IVFIndex)
            try index.linkAll(upTo: 1_500)
            #expect(index.trainingCount == 1)
            return (rows, index)
        }
        let (moved, follows) = try index(["lists": "30"])
        for _ in 0..<3_000 { moved.append(moved.clusteredVector().map { 20 - 3 * $0 }) }
        try follows.linkAll(upTo: 4_500)
        #expect(follows.trainingCount >= 2)
        #expect(follows.linkedCount == 4_500)
        try follows.checkInvariants()

        let (grown, grows) = try index([:])
        grown.appendClustered(6_000)
        try grows.linkAll(upTo: 7_500)
        #expect(grows.trainingCount == 2)
        #expect(try recall(grown, grows, effort: 60) > 0.9)

        let (steady, stays) = try index(["lists": "30"])
        steady.appendClustered(6_000)
        try stays.linkAll(upTo: 7_500)
        #expect(stays.trainingCount == 1)
    }

    @Test("filters are honoured, narrow and wide", arguments: IVFCase.all)
    func filters(_ test: IVFCase) throws {
        let rows = try TestRows(test.space(24), capacity: 4_000)
        rows.appendClustered(4_000)
        let index = try rows.makeIndex()
        try index.linkAll(upTo: 3_800)
        for divisor in [1, 2, 10, 100, 1_000, 5_000] as [UInt32] {
            let filter = SlotFilter((0..<UInt32(4_000)).filter { $0 % divisor == 3 % divisor })
            var (found, wanted) = (0, 0)
            for _ in 0..<20 {
                let vector = rows.query(rows.clusteredVector())
                let truth = try rows.sorted(vector, in: rows.snapshot()).filter { filter.contains($0.slot) }.prefix(10)
                let answer = try index.search(IndexQuery(vector: vector, topK: 10, filter: filter), in: rows.snapshot())
                #expect(answer.allSatisfy { filter.contains($0.slot) })
                #expect(answer.count == truth.count)
                found += answer.filter { truth.contains($0) }.count
                wanted += truth.count
            }
            #expect(Double(found) >= 0.85 * Double(wanted), "one in \(divisor): \(found) of \(wanted)")
        }
    }

    @Test func isAbandonedWhenAsked() throws {
        for test in IVFCase.all {
            let rows = try TestRows(test.space(4), capacity: 40_000)
            rows.appendRandom(40_000)
            let index = try rows.makeIndex()
            try index.linkAll(upTo: 40_000)
            #expect(throws: KithError(.cancelled, .cancelled, "the search was abandoned")) {
                try index.search(
                    IndexQuery(vector: rows.randomQuery(), topK: 1, effort: 40, shouldStop: { true }), in: rows.snapshot())
            }
        }
    }

    @Test("searches beside linking and training see every linked vector")
    func searchesBesideLinking() async throws {
        let rows = try TestRows(.test(8, index: "ivf_rabitq", ["train_at": "2000", "probes": "1000"]), capacity: 20_000)
        rows.appendClustered(20_000)
        let index = try rows.makeIndex()
        let queries = (0..<50).map { UInt32($0 * 397) }
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try index.linkAll(upTo: 20_000) }
            for worker in 0..<2 {
                group.addTask {
                    var round = 0
                    while index.linkedCount < 20_000 || round < 10 {
                        let slot = queries[(round + worker * 25) % queries.count]
                        let answer = try index.search(IndexQuery(vector: rows.rows.row(slot), topK: 3), in: rows.snapshot())
                        #expect(answer.first?.distance == 0)
                        round += 1
                    }
                }
            }
        }
        #expect(index.linkedCount == 20_000)
    }

    @Test("parameters out of range are refused by name")
    func refusesParameters() throws {
        let wrong: [(String, [String: String], String)] = [
            ("ivf_flat", ["bits": "1"], "bits"), ("ivf_flat", ["lists": "-1"], "lists"), ("ivf_flat", ["probes": "x"], "probes"),
            ("ivf_flat", ["train_at": "1"], "train_at"), ("ivf_pq", ["quantizer": "vq"], "quantizer"),
            ("ivf_pq", ["bits": "3"], "bits"), ("ivf_pq", ["parts": "7"], "parts"), ("ivf_rabitq", ["bits": "9"], "bits"),
            ("ivf_rabitq", ["rescore": "1001"], "rescore"), ("ivf_rabitq", ["parts": "7"], "parts"),
            ("ivf_scalar", ["bits": "5"], "bits"), ("ivf_scalar", ["scale": "x"], "scale"), ("ivf_binary", ["bits": "1"], "bits"),
        ]
        for (kind, parameters, name) in wrong {
            let error = #expect(throws: KithError.self) {
                try IndexRegistry.builtIn.maker(kind).check(.test(8, index: kind, parameters))
            }
            #expect(error?.reason == .invalidIndexParameter)
            #expect(error?.metadata["parameter"] == name)
        }
        for kind in ["ivf_pq", "ivf_rabitq"] {
            let error = #expect(throws: KithError.self) {
                try IndexRegistry.builtIn.maker(kind).check(.test(8, .float32, .l1, index: kind))
            }
            #expect(error?.reason == .invalidIndexParameter)
        }
    }
}
