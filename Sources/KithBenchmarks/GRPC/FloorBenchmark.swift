import KithCore

/// What a call costs before any engine work: searches of an empty collection.
enum FloorBenchmark {
    static let description = Benchmark(
        name: "grpc-floor", summary: "Unary searches a second of an empty collection: the cost of a call",
        options: [
            ("dimension N", "of the query (128)"), ("connections LIST", "(1,2)"),
            ("inflight LIST", "calls in flight (1,16,64,256)"),
            ("rate LIST", "calls a second, whether or not earlier ones are answered (1000,10000)"),
            Run.secondsOption, ServerProcess.option,
        ], run: run)

    /// Calls at once at most where a rate is offered.
    private static let openInFlight = 1_024

    private static func run(_ run: Run) throws(KithError) {
        let space = VectorSpace(
            name: "", dimension: try run.number("dimension", tiny: 128, moderate: 128, full: 128), metric: .l2)
        let folder = try TemporaryFolder()
        let server = try ServerProcess(run, folder: folder.path)
        _ = try ServedCollection(creating: space, tail: 0, on: server.client)
        var stream = ClusteredVectors(space)
        let requests = try RequestList.searches(try stream.take(64))
        try Load(requests, to: server.address, inFlight: 16, seconds: 0.2)
        var table = ResultTable(
            "grpc-floor", "gRPC floor: searches of an empty collection, \(space.dimension) x f32, client beside the server")
        let inFlight = try run.options.list("inflight", run.pick(tiny: [16], moderate: [1, 16, 64], full: [1, 16, 64, 256]))
        let rates = try run.options.list("rate", run.pick(tiny: [1_000.0], moderate: [10_000], full: [1_000, 10_000]))
        guard rates.allSatisfy({ $0 > 0 }) else { throw .usage("--rate: must be above 0") }
        for connections in try run.options.list("connections", run.pick(tiny: [1], moderate: [1, 2], full: [1, 2])) {
            for way in inFlight.map({ (inFlight: $0, rate: 0.0) }) + rates.map({ (inFlight: openInFlight, rate: $0) }) {
                let before = ProcessUsage.processorSeconds(of: server.identifier)
                let load = try Load(
                    requests, to: server.address, connections: connections, inFlight: way.inFlight, rate: way.rate,
                    seconds: try run.seconds())
                let used = ProcessUsage.processorSeconds(of: server.identifier) - before
                table.add([
                    "connections": .count(connections), "in_flight": way.rate == 0 ? .count(way.inFlight) : .none,
                    "offered_per_second": way.rate == 0 ? .none : .count(Int(way.rate)),
                    "searches_per_second": .count(Int(load.perSecond)), "p50_us": .decimal(load.p50, places: 0),
                    "p90_us": .decimal(load.p90, places: 0), "p99_us": .decimal(load.p99, places: 0),
                    "p999_us": .decimal(load.p999, places: 0),
                    "server_us_per_call": .decimal(used / Double(load.calls) * 1e6, places: 1),
                    "client_us_per_call": .decimal(load.clientSeconds / Double(load.calls) * 1e6, places: 1),
                    "client_cores": .decimal(load.clientCores, places: 2),
                    "stolen_cores": .decimal(load.stolenCores, places: 2),
                ])
            }
        }
        run.report.add(table)
        server.stop()
    }
}
