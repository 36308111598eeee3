import Foundation
import KithEvents
import TestSupport
import Testing

/// Events that are larger than the broker takes: `etl` and `governance` fetch them from the server, or say what they do without them; `audit`
/// needs no more than the claim.
@Suite("Claim checks", .serverOutput)
struct ClaimCheckTests {
    private let broker: TestBroker
    private let server: ServerProcess
    private let folder: TemporaryFolder

    init() throws {
        broker = try TestBroker(isReal: TestEnvironment.kafka != nil, collections: ["docs": 1])
        server = try ServerProcess(
            ["--kafka.brokers", broker.address, "--kafka.property.message.max.bytes", "20000"] + EveryEvent.trims)
        folder = try TemporaryFolder()
        try server.connection.create(
            "docs", [Make.space(dimension: 2, metric: "L2", index: "flat")], ["changeEvents": ["vectors": "VECTORS_FULL"]])
        for (number, bytes) in [(1, 1), (2, 30_000), (3, 1), (2, 40_000), (4, 50_000)] { try write(number, bytes) }
        try server.connection.call(.delete, ["collection": "docs", "ids": [Make.id(4)]])
        try server.waitUntilPublished("docs")
    }

    private func write(_ number: Int, _ bytes: Int) throws {
        let text = String(repeating: "\(number)", count: bytes)
        try server.connection.upsert("docs", [Make.point(number, [Float(number), 0.5], payload: #"{"text":"\#(text)"}"#)])
    }

    private func etl(_ name: String, _ more: [String] = []) -> LiveConsumer {
        LiveConsumer(["etl", "--sink", "jsonl", "--folder", folder(name), "--vectors", "float32"] + more, broker)
    }

    /// `op id length-of-text` of each row.
    private func rows(_ name: String) throws -> [String] {
        let file = "\(folder(name))/kith.changes.v1.docs/0/00000001.jsonl"
        guard FileManager.default.fileExists(atPath: file) else { return [] }
        return try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map { line in
            let row = try JSONDecoder().decode(JSON.self, from: Data(line.utf8))
            let text = row["payload"]["text"].string ?? ""
            if row["op"] != "delete" { #expect(row["vectors"][""] == [JSON.number(row["id"].double ?? 0), 0.5]) }
            return "\(row["op"].string ?? "") \(row["id"].integer ?? 0) \(text.count)"
        }
    }

    private static let whole = ["create 1 1", "create 2 30000", "create 3 1", "update 2 40000", "create 4 50000", "delete 4 0"]

    @Test func areFetchedFromTheServer() throws {
        let records = try broker.records(of: "kith.changes.v1.docs")
        #expect(records.count == 6 && records.allSatisfy { $0.value?.count ?? 0 < 2_000 }, "large events leave claims")
        // Batches of few bytes: what was fetched counts.
        let metrics = folder("metrics")
        let more = ["--address", server.address, "--batch-bytes", "45000", "--metrics-file", metrics]
        let read = try etl("files", more).readToEnd()
        #expect(read.status == 0, "\(read.output)")
        #expect(try rows("files") == ClaimCheckTests.whole)
        #expect(!FileManager.default.fileExists(atPath: folder("files/dead-letters.jsonl")))
        let counts = try String(contentsOfFile: metrics, encoding: .utf8)
        #expect(
            counts.contains("kith_consumer_fetched_total 3\n") && !counts.contains("kith_consumer_commits_total 1\n"), "\(counts)"
        )
    }

    @Test(.enabled(if: PostgresServer.binaries != nil, Comment(rawValue: PostgresServer.absence)))
    func areFetchedIntoTables() throws {
        let postgres = try PostgresServer()
        let sink = ["etl", "--sink", "postgres", "--postgres", postgres.connection, "--dead-letters", folder("dead")]
        let read = try LiveConsumer(sink + ["--address", server.address], broker).readToEnd()
        #expect(read.status == 0, "\(read.output)")
        let rows = try postgres.query("SELECT id, length(text) AS n FROM docs ORDER BY id")
        #expect(rows == [["id": "1", "n": "1"], ["id": "2", "n": "40000"], ["id": "3", "n": "1"]])
    }

    @Test func withoutAServerItStopsOrPassesThemOver() throws {
        let stopped = try etl("files").readToEnd()
        #expect(stopped.status != 0 && stopped.output.contains("--address names the server"), "\(stopped.output)")
        #expect(try rows("files").allSatisfy { $0 == "create 1 1" })
        let passed = try etl("files", ["--claims", "pass"]).readToEnd()
        #expect(passed.status == 0, "\(passed.output)")
        #expect(try rows("files") == ["create 1 1", "create 3 1", "delete 4 0"], "no half row")
        #expect(try letters("files").count == 3)
    }

    private func letters(_ name: String) throws -> [Substring] {
        try String(contentsOfFile: folder("\(name)/dead-letters.jsonl"), encoding: .utf8).split(separator: "\n")
    }

    @Test func whatTheLogNoLongerHasStopsItOrIsPassedOver() throws {
        for number in 0..<60 { try write(100 + number, 60_000) }
        try server.waitUntilPublished("docs")
        try EveryEvent.waitUntilTrimmed("docs", server, beyond: 6)
        let stopped = try etl("files", ["--address", server.address]).readToEnd()
        #expect(stopped.status != 0 && stopped.output.contains("POSITION_TRIMMED"), "\(stopped.output)")
        let passed = try etl("files", ["--address", server.address, "--claims", "pass"]).readToEnd()
        #expect(passed.status == 0, "\(passed.output)")
        let dead = try letters("files")
        #expect(dead.count >= 3 && dead.allSatisfy { $0.contains("does not have it") })
        #expect(try rows("files").count + dead.count == 66)
    }

    private func governance(_ command: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = try Consuming.run(["governance", command] + arguments)
        return (process.wait(), process.output)
    }

    @Test func policiesAreHeldAgainstThem() throws {
        let policies = #"{"policies": [{"name": "short", "pii_patterns": {"twos": "^2{9}"}}]}"#
        try policies.write(toFile: folder("policies"), atomically: true, encoding: .utf8)
        let state = ["--folder", folder("state")]
        let follower = LiveConsumer(["governance", "follow", "--policies", folder("policies")] + state, broker)
        let stopped = try follower.readToEnd()
        #expect(stopped.status != 0 && stopped.output.contains("--address names the server"), "\(stopped.output)")
        let read = try follower.readToEnd(["--address", server.address])
        #expect(read.status == 0, "\(read.output)")
        let violations = try governance("violations", state)
        #expect(violations.status == 1 && violations.output.contains("collections/docs/fields/text"), "\(violations.output)")
        #expect(violations.output.contains("(2 times)"), "\(violations.output)")
        let catalogue = try governance("catalogue", state + ["--json"]).output
        let docs = try JSONDecoder().decode(JSON.self, from: Data(catalogue.utf8))["docs"]
        #expect(docs["changes"] == 6 && docs["unread"] == .null, "\(catalogue)")

        let passing = LiveConsumer(["governance", "follow", "--claims", "pass", "--folder", folder("unread")], broker)
        #expect(try passing.readToEnd().status == 0)
        let unread = try governance("catalogue", ["--folder", folder("unread"), "--json"]).output
        #expect(try JSONDecoder().decode(JSON.self, from: Data(unread.utf8))["docs"]["unread"] == 3, "\(unread)")
    }

    @Test func proofsTellWhereTheirImagesAre() throws {
        #expect(try etl("files", ["--address", server.address]).readToEnd().status == 0)
        let point = ["--collection", "docs", "--id", "2"]
        let topics = try governance("prove-erasure", point + ["--kafka.brokers", broker.address])
        #expect(topics.status == 0, "a claim has no image: \(topics.output)")
        let files = try governance("prove-erasure", point + ["--files", folder("files")])
        #expect(files.status == 1, "what was fetched lies in the files: \(files.output)")
        #expect(try governance("prove-erasure", point + ["--address", server.address]).status == 1, "the change log has it")

        let erasure: JSON = ["name": "e-1", "subject": "ticket", "collection": "docs", "points": [Make.id(2)]]
        try server.connection.call(.requestErasure, ["erasure": erasure])
        try EveryEvent.waitUntilProved("e-1", server.connection)
        let proof = try governance("prove-erasure", point + ["--address", server.address, "--erasure", "e-1"])
        #expect(proof.status == 0, "\(proof.output)")
        // Whoever fetches them now is given no images, and goes on.
        let policies = #"{"policies": [{"name": "no-text", "collections": ["docs"], "pii_patterns": {"twos": "^2{9}"}}]}"#
        try policies.write(toFile: folder("policies"), atomically: true, encoding: .utf8)
        let state = ["--folder", folder("state")]
        let follow = ["governance", "follow", "--policies", folder("policies"), "--address", server.address]
        let read = try LiveConsumer(follow + state, broker).readToEnd()
        #expect(read.status == 0, "\(read.output)")
        #expect(try governance("violations", state).status == 0)
    }

    @Test func areJournalledAsTheyAre() throws {
        let journal = ["--folder", folder("journal")]
        let read = try LiveConsumer(["audit", "follow"] + journal, broker).readToEnd()
        #expect(read.status == 0, "\(read.output)")
        let changes = try Consuming.run(["audit", "query", "--resource", "collections/docs/points/2"] + journal)
        #expect(changes.wait() == 0)
        #expect(changes.output.contains("change.create") && changes.output.contains("change.update"), "\(changes.output)")
        #expect(changes.output.contains("2 records"), "\(changes.output)")
    }

    @Test func aServerThatIsAwayIsAskedAgain() throws {
        let address = server.address
        server.kill()
        let consumer = try etl("files", ["--address", address]).start()
        try consumer.waitForOutput("an event cannot be fetched, and is tried again")
        try consumer.waitForOutput("the sink fails, and is tried again")
        consumer.kill()
        #expect(try rows("files").allSatisfy { $0 == "create 1 1" })
    }
}
