import KithCore

/// Searches over the wire, recall taken from the replies.
enum WireSearchBenchmark {
    static let description = Benchmark(
        name: "grpc-search", summary: "Searches a second over gRPC at a recall, and their latency",
        options: Dataset.options + [
            ("kind NAME", "index kind (hnsw)"), ("recall LIST", "targets for recall@10 (0.90,0.95,0.99)"),
            ("connections N", "(2)"), ("inflight N", "calls in flight at full load (64)"), Run.secondsOption,
            ServerProcess.option,
        ], run: run)

    private static func run(_ run: Run) throws(KithError) {
        let data = try Dataset(
            run, count: run.pick(tiny: 1_000, moderate: 30_000, full: 100_000),
            dimension: run.pick(tiny: 32, moderate: 128, full: 128),
            queries: run.pick(tiny: 50, moderate: 1_000, full: 1_000),
            index: IndexDefinition(kind: run.options.value("kind") ?? "hnsw"))
        let folder = try TemporaryFolder()
        let server = try ServerProcess(run, folder: folder.path)
        let collection = try ServedCollection(creating: data.space, tail: data.base.count, on: server.client)
        let upserts = try RequestList.upserts(data.base, batch: 100, durability: .durable)
        let loaded = try Load(upserts, to: server.address, inFlight: 16, seconds: 0)
        let linkSeconds = try collection.waitUntilLinked()
        Console.note("loaded in \(loaded.seconds) s, linked \(linkSeconds) s later")
        let inFlight = try run.number("inflight", tiny: 8, moderate: 64, full: 64)
        let connections = try run.number("connections", tiny: 1, moderate: 2, full: 2)
        var table = ResultTable(
            "grpc-search",
            "gRPC searches, \(data.name), \(data.base.count) x \(data.space.dimension) \(data.space.element), "
                + "\(data.space.index.kind), top \(Dataset.topK)")
        for target in try run.options.list(
            "recall", run.pick(tiny: [0.9], moderate: [0.9, 0.95, 0.99], full: [0.9, 0.95, 0.99]))
        {
            let found = try EffortSearch.smallest(reaching: target) { (effort) throws(KithError) in
                data.recall(try collection.answers(data.queries, effort: effort))
            }
            let requests = try RequestList.searches(data.queries, effort: found.effort)
            let seconds = try run.seconds()
            let one = try Load(requests, to: server.address, inFlight: 1, seconds: seconds / 2)
            let most = try Load(requests, to: server.address, connections: connections, inFlight: inFlight, seconds: seconds)
            let busy = try Load(
                requests, to: server.address, connections: connections, inFlight: 1_024, rate: most.perSecond * 0.8,
                seconds: seconds)
            table.add([
                "recall_target": .decimal(target, places: 3), "recall": .decimal(found.recall, places: 4),
                "effort": .count(found.effort), "queries_per_second": .count(Int(most.perSecond)),
                "client_cores": .decimal(most.clientCores, places: 2),
                "one_p50_us": .decimal(one.p50, places: 0), "one_p99_us": .decimal(one.p99, places: 0),
                "load80_p50_us": .decimal(busy.p50, places: 0),
                "load80_p99_us": .decimal(busy.p99, places: 0),
                "load80_client_cores": .decimal(busy.clientCores, places: 2),
            ])
        }
        run.report.add(table)
        server.stop()
    }
}
