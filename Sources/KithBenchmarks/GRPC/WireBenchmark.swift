import Foundation
import KithAPI
import KithCore

/// Searches over the wire, recall taken from the replies; the load generator's own share of the processor beside them.
enum WireBenchmark {
    static let description = Benchmark(
        name: "grpc", summary: "Searches a second over gRPC at a recall, and their latency, closed loop and at offered rates",
        options: Dataset.options + IndexChoice.options + [
            (
                "address HOST:PORT",
                "a server that runs already; the collection 'benchmark' is made there, or used where it has the points"
            ),
            ("serve", "start a server of our own (what happens without --address)"),
            ("recall LIST", "targets for recall@10 (0.90,0.95,0.99)"),
            ("clients LIST", "calls in flight, each sent when the one before is answered (1,16,64)"),
            ("batch N", "queries of a SearchBatch, one call at a time (1,000)"),
            ("rate N", "only this rate, searches a second, answered or not (half and 80 % of the best of the clients)"),
            ("connections N", "(2)"), Run.secondsOption, ServerProcess.option,
        ], run: run)

    /// Calls in flight at most where a rate is offered: a server that is slower shows it in its latency, not in the rate.
    private static let openInFlight = 1_024

    private static func run(_ run: Run) throws(KithError) {
        let definitions = try IndexChoice.definitions(run.options, standard: [IndexDefinition.defaultKind])
        let data = try Dataset(
            run, count: run.pick(tiny: 1_000, moderate: 30_000, full: 100_000),
            dimension: run.pick(tiny: 32, moderate: 128, full: 128),
            queries: run.pick(tiny: 50, moderate: 1_000, full: 1_000), index: definitions[0])
        if let address = run.options.value("address") {
            guard !run.options.has("serve") else { throw .usage("--address and --serve exclude each other") }
            return try measure(run, data, address: address, client: try KithClient(address: address), own: nil)
        }
        let folder = try TemporaryFolder()
        let server = try ServerProcess(run, folder: folder.path)
        try measure(
            run, data, address: server.address, client: server.client,
            own: OwnServer(process: server.identifier, folder: folder.path))
        server.stop()
    }

    private static func measure(
        _ run: Run, _ data: Dataset, address: String, client: KithClient, own: OwnServer?
    ) throws(KithError) {
        let collection = try loaded(run, data, address: address, client)
        var table = ResultTable(
            "grpc",
            "gRPC searches, \(data.name), \(data.base.count) x \(data.space.dimension) \(data.space.element), "
                + "\(data.space.index.kind), top \(Dataset.topK)")
        let load = WireLoad(
            address: address, own: own, connections: try run.number("connections", tiny: 1, moderate: 2, full: 2),
            seconds: try run.seconds())
        let batch = try run.number("batch", tiny: 20, moderate: 1_000, full: 1_000)
        let most = min(Limits.batchQueries, data.queries.count)
        guard 1...most ~= batch else { throw .usage("--batch must be 1 to \(most), not \(batch)") }
        let clients = try run.options.list("clients", run.pick(tiny: [1, 8], moderate: [1, 64], full: [1, 16, 64]))
        for target in try run.options.list("recall", run.recallTargets) {
            let found = try EffortSearch.smallest(reaching: target) { (effort) throws(KithError) in
                data.recall(try collection.answers(data.queries, effort: effort))
            }
            let requests = try RequestList.searches(data.queries, effort: found.effort)
            if let rate = try run.options.decimal("rate") {
                try load.offer(requests, rate: rate, inFlight: openInFlight, target, found, into: &table)
                continue
            }
            var best = 0.0
            for count in clients {
                best = max(best, try load.keep(requests, inFlight: count, target, found, into: &table))
            }
            let batches = try RequestList.searchBatches(data.queries, effort: found.effort, batch: batch)
            try load.send(batches, of: batch, target, found, into: &table)
            for share in [0.5, 0.8] {
                try load.offer(requests, rate: best * share, inFlight: openInFlight, target, found, into: &table)
            }
        }
        run.report.add(table)
    }

    /// The collection with all points in it, everything linked.
    private static func loaded(
        _ run: Run, _ data: Dataset, address: String, _ client: KithClient
    ) throws(KithError) -> ServedCollection {
        if run.options.has("address") {
            let there = ServedCollection(on: client)
            do throws(KithError) {
                let figures = try there.figures()
                guard figures.points == data.base.count else {
                    throw .usage(
                        "the collection '\(ServedCollection.name)' at \(address) has \(figures.points) points, not "
                            + "\(data.base.count): delete it, or take the data it was made of")
                }
                _ = try there.waitUntilLinked()
                return there
            } catch  where error.code == .notFound {
                Console.note("making the collection '\(ServedCollection.name)' at \(address)")
            }
        }
        let collection = try ServedCollection(creating: data.space, tail: data.base.count, on: client)
        let upserts = try RequestList.upserts(data.base, batch: 100, durability: .durable)
        let loaded = try Load(upserts, to: address, inFlight: 16, seconds: 0)
        let linkSeconds = try collection.waitUntilLinked()
        Console.note("loaded in \(loaded.seconds) s, linked \(linkSeconds) s later")
        return collection
    }
}

/// A server that is ours to look at.
private struct OwnServer {
    let process: Int32
    let folder: String
}

/// How requests are sent: so many in flight, or so many a second.
private struct Way {
    var clients: Int?
    var offered: Double?
    var batch = 1
}

/// One way of sending requests after the other, a row each.
private struct WireLoad {
    let address: String
    let own: OwnServer?
    let connections: Int
    let seconds: Double

    /// Keeps calls in flight; answers the rate reached.
    func keep(
        _ requests: RequestList, inFlight: Int, _ target: Double, _ found: EffortSearch.Found, into table: inout ResultTable
    ) throws(KithError) -> Double {
        let (load, cores) = try measured(requests, inFlight: inFlight, rate: 0)
        add(load, serverCores: cores, Way(clients: inFlight), target, found, to: &table)
        return load.perSecond
    }

    /// One call after the other, of `batch` queries each.
    func send(
        _ requests: RequestList, of batch: Int, _ target: Double, _ found: EffortSearch.Found, into table: inout ResultTable
    ) throws(KithError) {
        let (load, cores) = try measured(requests, inFlight: 1, rate: 0)
        add(load, serverCores: cores, Way(clients: 1, batch: batch), target, found, to: &table)
    }

    /// Starts calls by the clock.
    func offer(
        _ requests: RequestList, rate: Double, inFlight: Int, _ target: Double, _ found: EffortSearch.Found,
        into table: inout ResultTable
    ) throws(KithError) {
        let (load, cores) = try measured(requests, inFlight: inFlight, rate: rate)
        add(load, serverCores: cores, Way(offered: rate), target, found, to: &table)
    }

    private func measured(
        _ requests: RequestList, inFlight: Int, rate: Double
    ) throws(KithError) -> (load: Load, serverCores: Double?) {
        let before = own.map { ProcessUsage.processorSeconds(of: $0.process) }
        let load = try Load(
            requests, to: address, connections: min(connections, inFlight), inFlight: inFlight, rate: rate, seconds: seconds)
        let used = own.map { ProcessUsage.processorSeconds(of: $0.process) - (before ?? 0) }
        return (load, used.map { $0 / load.seconds })
    }

    private func add(
        _ load: Load, serverCores: Double?, _ way: Way, _ target: Double, _ found: EffortSearch.Found, to table: inout ResultTable
    ) {
        table.add([
            "recall_target": .decimal(target, places: 3), "recall": .decimal(found.recall, places: 4),
            "effort": .count(found.effort), "clients": way.clients.map(Cell.count) ?? .none, "queries_a_call": .count(way.batch),
            "offered_per_second": way.offered.map { .count(Int($0)) } ?? .none,
            "queries_per_second": .count(Int(load.perSecond * Double(way.batch))), "p50_us": .decimal(load.p50, places: 0),
            "p99_us": .decimal(load.p99, places: 0), "p999_us": .decimal(load.p999, places: 0),
            "client_cores": .decimal(load.clientCores, places: 2),
            "server_cores": serverCores.map { .decimal($0, places: 2) } ?? .none,
            "stolen_cores": .decimal(load.stolenCores, places: 2),
            "resident_bytes": own.map { .count(ProcessUsage.residentBytes(of: $0.process)) } ?? .none,
            "peak_resident_bytes": own.map { .count(ProcessUsage.peakResidentBytes(of: $0.process)) } ?? .none,
            "disk_bytes": own.map { .count(Files.diskBytes($0.folder)) } ?? .none,
        ])
    }
}
