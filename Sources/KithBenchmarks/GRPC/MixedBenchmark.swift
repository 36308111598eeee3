import KithCore
import Synchronization

/// What writes do to the latency of searches.
enum MixedBenchmark {
    static let description = Benchmark(
        name: "grpc-mixed", summary: "Latency of searches at rest, beside a trickle of upserts, and during a bulk load",
        options: [
            ("count N", "points at the start (100,000)"), ("dimension N", "(384)"), ("kind NAME", "index kind (graph)"),
            ("rate N", "searches a second (100)"), ("upsert-rate N", "points written a second (5,000)"),
            ("upsert-batch N", "points of each upsert (10)"),
            ("bulk N", "points of each bulk load (100,000)"), ("tail N", "tail limit of the second bulk load (5,000)"),
            Run.secondsOption, ServerProcess.option,
        ], run: run)

    private static func run(_ run: Run) throws(KithError) {
        let space = VectorSpace(
            name: "", dimension: try run.number("dimension", tiny: 32, moderate: 384, full: 384), metric: .l2,
            index: IndexDefinition(kind: run.options.value("kind") ?? IndexDefinition.defaultKind))
        let count = try run.number("count", tiny: 1_000, moderate: 30_000, full: 100_000)
        let bulk = try run.number("bulk", tiny: 1_000, moderate: 30_000, full: 100_000)
        let rate = try run.number("rate", tiny: 100, moderate: 100, full: 100)
        let upsertRate = try run.number("upsert-rate", tiny: 200, moderate: 5_000, full: 5_000)
        let upsertBatch = try run.number("upsert-batch", tiny: 10, moderate: 10, full: 10)
        let tail = try run.number("tail", tiny: 500, moderate: 5_000, full: 5_000)
        let seconds = try run.options.decimal("seconds") ?? run.pick(tiny: 0.3, moderate: 5, full: 10)
        var stream = ClusteredVectors(space)
        var points = 0
        func upserts(_ count: Int, batch: Int) throws(KithError) -> RequestList {
            defer { points += count }
            return try RequestList.upserts(try stream.take(count), batch: batch, durability: .durable, firstID: points)
        }
        let base = try upserts(count, batch: 100)
        let trickle = try upserts(Int(Double(upsertRate) * seconds) + upsertBatch, batch: upsertBatch)
        let flood = try upserts(bulk, batch: 100)
        let slowFlood = try upserts(bulk, batch: 100)

        let folder = try TemporaryFolder()
        let server = try ServerProcess(run, folder: folder.path)
        let address = server.address
        let collection = try ServedCollection(creating: space, tail: max(bulk, count), on: server.client)
        try Load(base, to: address, inFlight: 16, seconds: 0)
        _ = try collection.waitUntilLinked()
        let searches = Searches(
            requests: try RequestList.searches(try stream.take(500)), rate: Double(rate), address: address, collection: collection
        )
        var table = ResultTable(
            "grpc-mixed",
            "gRPC searches beside upserts, \(count) x \(space.dimension) f32, \(space.index.kind), \(rate) searches a second")
        try searches.measure("at rest", seconds: seconds, into: &table) { 0 }
        try searches.measure("\(upsertRate) upserts/s", seconds: seconds, into: &table) { () throws(KithError) in
            try Load(trickle, to: address, inFlight: 256, rate: Double(upsertRate) / Double(upsertBatch), seconds: seconds).calls
                * upsertBatch
        }
        _ = try collection.waitUntilLinked()
        try searches.measure("bulk load, tail free", seconds: seconds, into: &table) { () throws(KithError) in
            try Load(flood, to: address, inFlight: 16, seconds: 0).calls * 100
        }
        _ = try collection.waitUntilLinked()
        try collection.setTail(tail)
        try searches.measure("bulk load, tail \(tail)", seconds: seconds, into: &table) { () throws(KithError) in
            try Load(slowFlood, to: address, inFlight: 16, seconds: seconds).calls * 100
        }
        run.report.add(table)
        server.stop()
    }
}

/// Searches at an offered rate, with something else going on.
private struct Searches: Sendable {
    let requests: RequestList
    let rate: Double
    let address: String
    let collection: ServedCollection

    /// Searches for `seconds` while `write` runs, which answers the points it wrote, and adds a row.
    func measure(
        _ name: String, seconds: Double, into table: inout ResultTable, _ write: @escaping @Sendable () throws(KithError) -> Int
    ) throws(KithError) {
        struct Written {
            var points = 0
            var seconds = 0.0
            var tail = 0
        }
        let searched = Mutex<Load?>(nil)
        let written = Mutex(Written())
        try InParallel.run(2) { (thread) throws(KithError) in
            if thread == 0 {
                let load = try Load(requests, to: address, inFlight: 1_024, rate: rate, seconds: seconds)
                searched.withLock { $0 = load }
            } else {
                let began = ContinuousClock.now
                let points = try write()
                let took = (ContinuousClock.now - began).seconds
                let result = Written(points: points, seconds: took, tail: try collection.figures().tail)
                written.withLock { $0 = result }
            }
        }
        guard let load = searched.withLock({ $0 }) else { return }
        let writes = written.withLock { $0 }
        table.add([
            "writes": .text(name), "searches_per_second": .count(Int(load.perSecond)), "p50_us": .decimal(load.p50, places: 0),
            "p90_us": .decimal(load.p90, places: 0), "p99_us": .decimal(load.p99, places: 0),
            "max_us": .decimal(load.longest, places: 0),
            "points_per_second": writes.points == 0 ? .none : .count(Int(Double(writes.points) / writes.seconds)),
            "write_seconds": writes.points == 0 ? .none : .decimal(writes.seconds, places: 2),
            "tail_vectors_after": .count(writes.tail),
        ])
    }
}
