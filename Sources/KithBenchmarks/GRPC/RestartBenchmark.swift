import Glibc
import KithAPI
import KithCore

/// How soon a server answers after it was stopped, and after it was killed. Files are in the page cache.
enum RestartBenchmark {
    static let description = Benchmark(
        name: "restart", summary: "From starting the process to the first answer, after SIGTERM and after SIGKILL",
        options: [
            ("count N", "points (1,000,000)"), ("dimension N", "(128)"), ("element NAME", "(f32)"),
            ("kind NAME", "index kind (graph)"),
            ServerProcess.option,
        ], run: run)

    private static func run(_ run: Run) throws(KithError) {
        let space = VectorSpace(
            name: "", dimension: try run.number("dimension", tiny: 32, moderate: 128, full: 128),
            element: try run.options.choice("element", ElementType.float32), metric: .l2,
            index: IndexDefinition(kind: run.options.value("kind") ?? IndexDefinition.defaultKind))
        let count = try run.number("count", tiny: 2_000, moderate: 100_000, full: 1_000_000)
        var stream = ClusteredVectors(space)
        let folder = try TemporaryFolder()
        var server = try ServerProcess(run, folder: folder.path)
        let collection = try ServedCollection(creating: space, tail: count, on: server.client)
        let query = try stream.take(1)
        // In parts, so that the requests need not be in memory at once.
        for first in stride(from: 0, to: count, by: 100_000) {
            let part = try stream.take(min(100_000, count - first))
            let requests = try RequestList.upserts(part, batch: 100, durability: .durable, firstID: first)
            try Load(requests, to: server.address, inFlight: 16, seconds: 0)
        }
        let linking = try collection.waitUntilLinked()
        Console.note("linked \(linking) s after loading")
        let expected = try nearest(query, server.client)

        var table = ResultTable(
            "restart", "restart, \(count) x \(space.dimension) \(space.element), \(space.index.kind), page cache warm")
        for (name, signal) in [("SIGTERM", SIGTERM), ("SIGKILL", SIGKILL), ("SIGTERM again", SIGTERM)] {
            let stopping = ContinuousClock.now
            server.stop(signal)
            let stopped = (ContinuousClock.now - stopping).seconds
            server = try ServerProcess(run, folder: folder.path)
            let listening = (ContinuousClock.now - server.began).seconds
            let answer = try nearest(query, server.client)
            let answered = (ContinuousClock.now - server.began).seconds
            guard answer == expected else { throw .failed("after \(name) a search finds \(answer), before it found \(expected)") }
            let reopened = try ServedCollection(on: server.client).figures()
            guard reopened.points == count else { throw .failed("after \(name) \(reopened.points) of \(count) points are there") }
            table.add([
                "stopped_by": .text(name), "stop_seconds": .decimal(stopped, places: 2),
                "listening_seconds": .decimal(listening, places: 3), "first_answer_seconds": .decimal(answered, places: 3),
                "tail_vectors": .count(reopened.tail),
                "resident_bytes": .count(ProcessUsage.residentBytes(of: server.identifier)),
                "anonymous_bytes": .count(ProcessUsage.anonymousBytes(of: server.identifier)),
                "disk_bytes": .count(Files.diskBytes(folder.path)),
            ])
        }
        run.report.add(table)
        server.stop()
    }

    /// The exact nearest point.
    private static func nearest(_ query: VectorSet, _ client: KithClient) throws(KithError) -> PointID {
        var search = ClientQuery(.vector(ClientVector(.bytes(Array(query.bytes(0)), nil))))
        search.topK = 1
        search.payload = false
        guard let found = try client.search(ServedCollection.name, search).first else { throw .failed("a search found nothing") }
        return found.id
    }
}
