import Foundation
import KithCore
import KithIndex
import Testing

@Suite struct RecallMeterTests {
    /// An index that misses much, so that there is something to measure.
    private func makeRows() throws -> (TestRows, any VectorIndex) {
        let rows = try TestRows(
            .test(16, .float32, .l2, index: "ivf_flat", ["lists": "64", "train_at": "2000"]), capacity: 4_000)
        rows.appendRandom(4_000)
        let index = try rows.makeIndex()
        try index.linkAll(upTo: rows.count)
        return (rows, index)
    }

    private func search(
        _ index: any VectorIndex, _ rows: TestRows, _ query: UnsafeRawPointer, _ meter: RecallMeter, topK: Int = 10,
        effort: Int? = 2, exact: Bool = false
    ) throws -> [Neighbour] {
        let query = IndexQuery(vector: query, topK: topK, effort: effort, exact: exact)
        let answer = try index.search(query, in: rows.snapshot())
        meter.note(query, in: rows.snapshot(), answer, by: index)
        return answer
    }

    private func measureAll(_ meter: RecallMeter, _ index: any VectorIndex) throws {
        while try meter.measureNext(index, at: 1, shouldStop: { false }) {}
    }

    @Test func whatIsMeasuredIsTheRecallOfTheQueriesKept() throws {
        let (rows, index) = try makeRows()
        let meter = RecallMeter(rows.space, rows.deaths)
        #expect(meter.measured == nil)
        var shares: [Double] = []
        for number in 0..<400 {
            let query = rows.randomQuery()
            let answer = try search(index, rows, query, meter)
            let truth = try rows.sorted(query, in: rows.snapshot()).prefix(10)
            // One search in eight is kept.
            if number % 8 == 0 { shares.append(Double(Set(answer).intersection(truth).count) / 10) }
        }
        try measureAll(meter, index)
        let measured = try #require(meter.measured)
        #expect(measured.queries == 50)
        #expect(abs(measured.value - shares.reduce(0, +) / 50) < 1e-9)
        #expect(measured.value > 0.1 && measured.value < 0.9)
        #expect(measured.standardError > 0 && measured.standardError < 0.1)
        meter.reset()
        #expect(meter.measured == nil)
    }

    @Test func whatIsMissingIsOfThoseThatNamedARecall() throws {
        let (rows, index) = try makeRows()
        let meter = RecallMeter(rows.space, rows.deaths)
        for _ in 0..<8 * Limits.measuredQueries { _ = try search(index, rows, rows.randomQuery(), meter) }
        try measureAll(meter, index)
        // Poor as they are, nobody asked for more.
        #expect(meter.measured != nil && meter.missingRecall == nil)
        for number in 0..<8 * Limits.measuredQueries {
            let vector = rows.randomQuery()
            let poor = try index.search(IndexQuery(vector: vector, topK: 10, effort: 1), in: rows.snapshot())
            let query = IndexQuery(vector: vector, topK: 10, recallTarget: 0.9)
            meter.note(query, in: rows.snapshot(), poor, by: index)
            if number % 64 == 63 { try measureAll(meter, index) }
        }
        let missing = try #require(meter.missingRecall)
        let measured = try #require(meter.measured)
        #expect(missing > 0.1 && Double(missing) < 0.9 - measured.value)
        meter.reset()
        #expect(meter.missingRecall == nil)
    }

    @Test func whatDiedOrCameSinceIsNoMiss() throws {
        let (rows, index) = try makeRows()
        let meter = RecallMeter(rows.space, rows.deaths)
        var answered: [UInt32] = []
        // Everything is looked into, so nothing is missed.
        for _ in 0..<200 { answered += try search(index, rows, rows.randomQuery(), meter, effort: 64).map(\.slot) }
        for slot in answered.prefix(1_000) { rows.deaths.kill(slot, at: 1) }
        try measureAll(meter, index)
        #expect(meter.measured?.value == 1)
    }

    @Test func searchesThatMissNothingAreNotKept() throws {
        let (rows, index) = try makeRows()
        let meter = RecallMeter(rows.space, rows.deaths)
        for _ in 0..<20 {
            _ = try search(index, rows, rows.randomQuery(), meter, effort: nil, exact: true)
            _ = try search(index, rows, rows.randomQuery(), meter, topK: Limits.measuredTopK + 1)
        }
        #expect(try !meter.measureNext(index, at: 1, shouldStop: { false }))
    }

    @Test func searchesOnManyThreadsAndTheMeasuringDoNotDisturbEachOther() async throws {
        let (rows, index) = try makeRows()
        let meter = RecallMeter(rows.space, rows.deaths)
        let snapshot = rows.snapshot()
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<4 {
                group.addTask {
                    for number in 0..<500 {
                        let vector = UnsafeRawPointer(rows.rows.row(UInt32((thread * 500 + number) * 7 % 4_000)))
                        let query = IndexQuery(vector: vector, topK: 1, effort: 1)
                        // A stored vector is in the list it is nearest to: a torn copy of another would not find itself.
                        guard let answer = try? index.search(query, in: snapshot) else { continue }
                        meter.note(query, in: snapshot, answer, by: index)
                    }
                }
            }
            for _ in 0..<200 { _ = try? meter.measureNext(index, at: 1, shouldStop: { false }) }
        }
        try measureAll(meter, index)
        #expect(meter.measured?.value == 1)
    }

    @Test func shardsAreCombinedByTheirQueries() throws {
        let now = Date()
        let parts = [
            MeasuredRecall(value: 1, standardError: 0, queries: 30, at: now - 5),
            MeasuredRecall(value: 0.9, standardError: 0.04, queries: 10, at: now),
        ]
        let both = try #require(MeasuredRecall.combined(parts))
        #expect(abs(both.value - 0.975) < 1e-12 && abs(both.standardError - 0.01) < 1e-12)
        #expect(both.queries == 40 && both.at == now)
        #expect(MeasuredRecall.combined([]) == nil)
    }
}
