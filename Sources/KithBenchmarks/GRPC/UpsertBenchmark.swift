import KithAPI
import KithCore

/// How fast points are taken, and what they cost.
enum UpsertBenchmark {
    static let description = Benchmark(
        name: "grpc-upsert", summary: "Points a second by unary upserts in batches, DURABLE and ACCEPTED",
        options: [
            ("count N", "points (200,000)"), ("dimension N", "(384)"), ("batch N", "points a call (100)"),
            ("inflight N", "calls in flight (16)"), ("connections N", "(1)"), ("kind NAME", "index kind (graph)"),
            ("durability NAME", "only that: durable or accepted"), ServerProcess.option,
        ], run: run)

    private static func run(_ run: Run) throws(KithError) {
        let space = VectorSpace(
            name: "", dimension: try run.number("dimension", tiny: 32, moderate: 384, full: 384), metric: .l2,
            index: IndexDefinition(kind: run.options.value("kind") ?? IndexDefinition.defaultKind))
        let count = try run.number("count", tiny: 2_000, moderate: 100_000, full: 200_000)
        let batch = try run.number("batch", tiny: 100, moderate: 100, full: 100)
        var stream = ClusteredVectors(space)
        let vectors = try stream.take(count)
        var table = ResultTable(
            "grpc-upsert",
            "gRPC upserts, \(count) x \(space.dimension) f32 and a payload of 60 bytes, batches of \(batch), \(space.index.kind)")
        let wanted = try run.options.value("durability") == nil ? nil : run.options.choice("durability", Durability.durable)
        for durability in [Durability.durable, .accepted] where wanted == nil || wanted == durability {
            try measure(run, vectors, batch, durability, into: &table)
        }
        run.report.add(table)
    }

    private static func measure(
        _ run: Run, _ vectors: VectorSet, _ batch: Int, _ durability: Durability, into table: inout ResultTable
    ) throws(KithError) {
        let requests = try RequestList.upserts(vectors, batch: batch, durability: durability)
        let folder = try TemporaryFolder()
        let server = try ServerProcess(run, folder: folder.path)
        let collection = try ServedCollection(creating: vectors.space, tail: vectors.count, on: server.client)
        let load = try Load(
            requests, to: server.address, connections: try run.number("connections", tiny: 1, moderate: 1, full: 1),
            inFlight: try run.number("inflight", tiny: 16, moderate: 16, full: 16), seconds: 0)
        let used = ProcessUsage.processorSeconds(of: server.identifier)
        let tail = try collection.figures().tail
        try checkComplete(vectors, server.client)
        let linking = try collection.waitUntilLinked()
        table.add([
            "durability": .text("\(durability)"), "points": .count(vectors.count),
            "points_per_second": .count(Int(Double(vectors.count) / load.seconds)),
            "p50_us": .decimal(load.p50, places: 0), "p99_us": .decimal(load.p99, places: 0),
            "server_cores": .decimal(used / load.seconds, places: 2),
            "client_cores": .decimal(load.clientCores, places: 2),
            "tail_vectors": .count(tail), "linked_seconds_later": .decimal(linking, places: 1),
            "resident_bytes": .count(ProcessUsage.residentBytes(of: server.identifier)),
            "disk_bytes": .count(Files.diskBytes(folder.path)),
        ])
        server.stop()
    }

    /// Every point is there, and a search finds the last one: what is acknowledged is searchable.
    private static func checkComplete(_ vectors: VectorSet, _ client: KithClient) throws(KithError) {
        let last = vectors.count - 1
        var query = ClientQuery(.vector(ClientVector(.bytes(Array(vectors.bytes(last)), nil))))
        query.topK = 1
        let nearest = try client.search(ServedCollection.name, query).first?.id
        guard nearest == .number(UInt64(last)) else {
            throw .failed("a search for the last point found \(nearest.map { "\($0)" } ?? "nothing")")
        }
        let count = try client.count(ServedCollection.name)
        guard count == UInt64(vectors.count) else { throw .failed("\(count) of \(vectors.count) acknowledged points are there") }
    }
}
