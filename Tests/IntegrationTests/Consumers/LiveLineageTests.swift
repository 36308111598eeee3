import Foundation
import Glibc
import KithEvents
import TestSupport
import Testing

/// Runs of `etl`, as the server tells of them in the lineage topic, and as `governance` makes a graph of them.
@Suite("Live lineage", .serverOutput)
struct LiveLineageTests {
    private let broker: TestBroker
    private let server: ServerProcess
    private let folder: TemporaryFolder

    init() throws {
        broker = try TestBroker(isReal: false, collections: ["docs": 1, "notes": 1])
        server = try ServerProcess(["--kafka.brokers", broker.address])
        folder = try TemporaryFolder()
        for name in ["docs", "notes"] {
            try server.connection.create(name, [Make.space(dimension: 2, metric: "L2", index: "flat")])
            try server.connection.upsert(name, [Make.point(1, [1, 2], payload: #"{"a":1}"#)])
            try server.waitUntilPublished(name)
        }
    }

    /// Run events, once there are so many; fewer when they do not come within a minute. The change stream's heartbeats give the pace.
    private func runs(atLeast count: Int) throws -> [JSON] {
        let beat = try server.connection.open(
            .subscribe, ["collection": "docs", "start": "START_NOW", "heartbeatMilliseconds": 100])
        defer { beat.cancel() }
        var runs: [JSON] = []
        repeat {
            runs = try broker.records(of: "kith.lineage.v1").filter { $0.header("ce_type") == "io.openlineage.run.v2" }.map {
                try JSONDecoder().decode(JSON.self, from: Data($0.value ?? []))
            }
        } while try runs.count < count && beat.read() != nil
        return runs
    }

    private func etl(_ more: [String] = []) -> LiveConsumer {
        LiveConsumer(["etl", "--sink", "jsonl", "--folder", folder("files"), "--address", server.address] + more, broker)
    }

    private func datasets(_ list: JSON) -> Set<String> {
        Set(list.list.map { "\($0["namespace"].string ?? "") \($0["name"].string ?? "")" })
    }

    @Test func aRunThatReadsToTheEndIsComplete() throws {
        let read = try etl().readToEnd()
        #expect(read.status == 0, "\(read.output)")
        let runs = try runs(atLeast: 2)
        #expect(runs.map { $0["eventType"] } == ["START", "COMPLETE"])
        #expect(Set(runs.compactMap { $0["run"]["runId"].string }).count == 1)
        let job = runs.first?["job"]["name"].string ?? ""
        #expect(job.hasPrefix("etl."), "\(job)")
        for run in runs {
            #expect(run["job"] == ["namespace": "kith-consume", "name": .text(job)])
            #expect(datasets(run["inputs"]) == ["kith://kith docs", "kith://kith notes"])
            #expect(
                datasets(run["outputs"]) == [
                    "file \(folder("files"))/kith.changes.v1.docs", "file \(folder("files"))/kith.changes.v1.notes",
                ])
        }

        let state = ["--folder", folder("state")]
        let governance = try LiveConsumer(["governance", "follow"] + state, broker).readToEnd()
        #expect(governance.status == 0, "\(governance.output)")
        let graph = try Consuming.run(["governance", "lineage"] + state)
        #expect(graph.output.contains(#""collection:docs" -> "job:kith-consume/\#(job)""#), "\(graph.output)")
        #expect(graph.output.contains(#""job:kith-consume/\#(job)" -> "file/"#), "\(graph.output)")
    }

    @Test func aRunThatIsStoppedIsAborted() throws {
        let consumer = try etl(["--collections", "notes"]).start()
        try consumer.waitForOutput("partitions assigned")
        consumer.signal(SIGTERM)
        #expect(consumer.wait() == 0, "\(consumer.output)")
        let runs = try runs(atLeast: 2)
        #expect(runs.map { $0["eventType"] } == ["START", "ABORT"])
        #expect(runs.allSatisfy { datasets($0["inputs"]) == ["kith://kith notes"] && $0["outputs"].list.count == 1 })
    }

    /// Kills a run while another goes on; answers states of the killed one, the other one, and the one that comes after.
    private func killOne(_ consumer: (String) -> LiveConsumer) throws -> [[String]] {
        let killed = try consumer("docs").start()
        #expect(try runs(atLeast: 1).count == 1)
        let other = try consumer("notes").start()
        #expect(try runs(atLeast: 2).count == 2)
        killed.kill()
        let next = try consumer("docs").readToEnd()
        #expect(next.status == 0, "\(next.output)")
        #expect(try runs(atLeast: 5).count == 5)
        other.signal(SIGTERM)
        #expect(other.wait() == 0, "\(other.output)")
        // Nothing is left to be told by this one.
        #expect(try consumer("docs").readToEnd().status == 0)
        let runs = try runs(atLeast: 8)
        var ids: [JSON] = []
        for run in runs where !ids.contains(run["run"]["runId"]) { ids.append(run["run"]["runId"]) }
        return ids.map { id in runs.filter { $0["run"]["runId"] == id }.map { $0["eventType"].string ?? "" } }
    }

    private static let killedAndOthers = [
        ["START", "ABORT"], ["START", "ABORT"], ["START", "COMPLETE"], ["START", "COMPLETE"],
    ]

    @Test func aRunThatIsKilledIsAbortedByTheNext() throws {
        #expect(try killOne { etl(["--collections", $0]) } == LiveLineageTests.killedAndOthers)
    }

    @Test(.enabled(if: PostgresServer.binaries != nil, Comment(rawValue: PostgresServer.absence)))
    func aRunThatIsKilledIsAbortedByTheNextOfTheDatabase() throws {
        let postgres = try PostgresServer()
        let sink = ["--sink", "postgres", "--postgres", postgres.connection, "--postgres.consumer", "etl"]
        let etl = ["etl", "--address", server.address, "--dead-letters", folder("dead")] + sink
        #expect(try killOne { LiveConsumer(etl + ["--collections", $0], broker) } == LiveLineageTests.killedAndOthers)
    }

    @Test func aRunThatFailsSaysWhy() throws {
        let place = folder("files/kith.changes.v1.docs/0")
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try "damaged".write(toFile: "\(place)/progress.json", atomically: true, encoding: .utf8)
        #expect(try etl().readToEnd().status != 0)
        let runs = try runs(atLeast: 2)
        #expect(runs.map { $0["eventType"] } == ["START", "FAIL"])
        let message = runs.last?["run"]["facets"]["errorMessage"]["message"].string ?? ""
        #expect(message.contains("progress.json"), "\(message)")
    }

    @Test func dataGoesOnWhereNobodyIsTold() throws {
        #expect(try etl(["--lineage", "no"]).readToEnd().status == 0)
        let last = try etl(["--collections", "notes"]).readToEnd()
        #expect(last.status == 0, "\(last.output)")
        #expect(try runs(atLeast: 2).count == 2, "only one run is told of")
        server.kill()
        let read = try LiveConsumer(
            ["etl", "--sink", "jsonl", "--folder", folder("more"), "--address", server.address], broker
        ).readToEnd()
        #expect(read.status == 0 && read.output.contains("a run cannot be told of"), "\(read.output)")
        #expect(try SinkFiles(folder("more"), "jsonl", collection: "docs").rows.count == 1)
    }

    @Test(.enabled(if: PostgresServer.binaries != nil, Comment(rawValue: PostgresServer.absence)))
    func tablesAreNamedByTheirDatabase() throws {
        let postgres = try PostgresServer()
        let sink = ["--sink", "postgres", "--postgres", postgres.connection, "--postgres.table-prefix", "k_"]
        let etl = ["etl", "--address", server.address, "--dead-letters", folder("dead")] + sink
        let read = try LiveConsumer(etl, broker).readToEnd()
        #expect(read.status == 0, "\(read.output)")
        let outputs = datasets(try runs(atLeast: 2)[1]["outputs"])
        let database = try postgres.query("SELECT current_database() AS name")[0]["name"] ?? ""
        #expect(
            outputs.contains { $0.hasPrefix("postgres://localhost:") && $0.hasSuffix(" \(database).public.k_docs") }, "\(outputs)"
        )
    }
}
