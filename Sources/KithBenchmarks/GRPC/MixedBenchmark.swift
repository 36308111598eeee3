import KithCore
import Synchronization

/// What writes do to the latency of searches.
enum MixedBenchmark {
    static let description = Benchmark(
        name: "grpc-mixed", summary: "Latency of searches at rest, beside a trickle of upserts, and during a bulk load",
        options: IndexChoice.options + [
            ("count N", "points at the start (100,000)"), ("dimension N", "(384)"),
            ("rate N", "searches a second (100)"), ("share N", "that share of what a closed loop reaches, instead of a rate"),
            ("upsert-rate N", "points written a second (5,000)"),
            ("upsert-batch N", "points of each upsert (10)"),
            ("bulk N", "points of each bulk load (100,000)"), ("tail N", "tail limit of the second bulk load (5,000)"),
            Run.secondsOption, ServerProcess.option,
        ], run: run)

    private static func run(_ run: Run) throws(KithError) {
        let space = VectorSpace(
            name: "", dimension: try run.number("dimension", tiny: 32, moderate: 384, full: 384), metric: .l2,
            index: try IndexChoice.definitions(run.options, standard: [IndexDefinition.defaultKind])[0])
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
        let queries = try RequestList.searches(try stream.take(500))
        var table = ResultTable(
            "grpc-mixed", "gRPC searches beside upserts, \(count) x \(space.dimension) f32, \(space.index.kind)")
        var searches = Searches(
            requests: queries, rate: Double(rate), server: server.identifier, address: address, collection: collection)
        if let share = try run.options.decimal("share") {
            searches.rate = 0
            searches.rate = share * (try searches.measure("closed loop", seconds: seconds, into: &table)).perSecond
        }
        try searches.measure("at rest", seconds: seconds, into: &table)
        // As many as searches can afford.
        try collection.setTail(0)
        try searches.measure("\(upsertRate) upserts/s", seconds: seconds, into: &table) { () throws(KithError) in
            let load = try Load(
                trickle, to: address, inFlight: 256, rate: Double(upsertRate) / Double(upsertBatch), seconds: seconds)
            return Written(load, batch: upsertBatch)
        }
        _ = try collection.waitUntilLinked()
        try collection.setTail(max(bulk, count))
        try searches.measure("bulk load, tail free", seconds: seconds, into: &table) { () throws(KithError) in
            Written(try Load(flood, to: address, inFlight: 16, seconds: 0), batch: 100)
        }
        _ = try collection.waitUntilLinked()
        try collection.setTail(tail)
        try searches.measure("bulk load, tail \(tail)", seconds: seconds, into: &table) { () throws(KithError) in
            Written(try Load(slowFlood, to: address, inFlight: 16, seconds: seconds), batch: 100)
        }
        run.report.add(table)
        server.stop()
    }
}

/// What was written beside searches.
private struct Written: Sendable {
    var points = 0
    /// The time it took, and the processor time of who wrote.
    var seconds = 0.0
    var clientSeconds = 0.0

    init() {}

    init(_ load: Load, batch: Int) {
        points = load.calls * batch
        seconds = load.seconds
        clientSeconds = load.clientSeconds
    }
}

/// Searches at an offered rate, or a closed loop where that is 0, with something else going on.
private struct Searches: Sendable {
    /// Calls in flight of a closed loop, and at most where a rate is offered.
    private static let closedInFlight = 16
    private static let openInFlight = 1_024

    let requests: RequestList
    var rate: Double
    let server: Int32
    let address: String
    let collection: ServedCollection

    /// Searches for `seconds` while `write` runs, and adds a row.
    @discardableResult
    func measure(
        _ name: String, seconds: Double, into table: inout ResultTable,
        _ write: @escaping @Sendable () throws(KithError) -> Written = { Written() }
    ) throws(KithError) -> Load {
        let searched = Mutex<Load?>(nil)
        let written = Mutex(Written())
        let inFlight = rate == 0 ? Searches.closedInFlight : Searches.openInFlight
        let before = try ServerWork(server, collection)
        try InParallel.run(2) { (thread) throws(KithError) in
            if thread == 0 {
                let load = try Load(requests, to: address, inFlight: inFlight, rate: rate, seconds: seconds)
                searched.withLock { $0 = load }
            } else {
                let writes = try write()
                written.withLock { $0 = writes }
            }
        }
        let work = try ServerWork(server, collection)
        guard let load = searched.withLock({ $0 }) else { throw .failed("nothing was searched") }
        let writes = written.withLock { $0 }
        let took = (work.at - before.at).seconds
        table.add([
            "writes": .text(name), "offered_per_second": rate == 0 ? .none : .count(Int(rate)),
            "searches_per_second": .count(Int(load.perSecond)), "p50_us": .decimal(load.p50, places: 0),
            "p90_us": .decimal(load.p90, places: 0), "p99_us": .decimal(load.p99, places: 0),
            "max_us": .decimal(load.longest, places: 0),
            "points_per_second": writes.points == 0 ? .none : .count(Int(Double(writes.points) / writes.seconds)),
            "linked_per_second": writes.points == 0 ? .none : .count(Int(Double(work.linked - before.linked) / took)),
            "tail_vectors_after": .count(work.tail),
            "client_cores": .decimal((load.clientSeconds + writes.clientSeconds) / took, places: 2),
            "calls_cores": .decimal((work.calls - before.calls) / took, places: 2),
            "linking_cores": .decimal((work.linking - before.linking) / took, places: 2),
            "other_cores": .decimal((work.other - before.other) / took, places: 2),
            "stolen_cores": .decimal(load.stolenCores, places: 2),
        ])
        return load
    }
}

/// What a server has done since it began: vectors linked, and the processor time of its parts.
private struct ServerWork {
    let at = ContinuousClock.now
    let linked: Int
    let tail: Int
    /// Of the threads that take calls, which search and decode what is written.
    let calls: Double
    /// Of those that link, with their helpers, which are gone by now.
    let linking: Double
    /// Of the write path and all else.
    let other: Double

    init(_ process: Int32, _ collection: ServedCollection) throws(KithError) {
        let figures = try collection.figures()
        (linked, tail) = (figures.linked, figures.tail)
        let threads = ProcessUsage.threads(of: process)
        func sum(_ prefix: String) -> Double {
            threads.filter { $0.name.hasPrefix(prefix) }.reduce(0) { $0 + $1.processorSeconds }
        }
        let all = threads.reduce(0) { $0 + $1.processorSeconds }
        calls = sum("kith.grpc") + sum("kith.search")
        linking = sum("kith.linker") + max(0, ProcessUsage.processorSeconds(of: process) - all)
        other = all - calls - sum("kith.linker")
    }
}
