import Foundation
import TestSupport
import Testing

/// The whole way: a real server, a real Kafka, real consumers that are killed, and sinks that end as the collection.
@Suite("Consumers", .serverOutput, .enabled(if: TestEnvironment.kafka != nil, Comment(rawValue: RealBroker.absence)))
struct ConsumerTests {
    private struct Line: Decodable {
        var event: String
        var op: String
        var id: UInt64
        var version: Int
        var payload: JSON?
    }

    private static let binary =
        URL(filePath: TestEnvironment.binary).deletingLastPathComponent().appending(path: "kith-consume").path

    private func consume(_ arguments: [String]) throws -> ChildProcess { try ChildProcess(ConsumerTests.binary, arguments) }

    /// Whoever comes after a killed member takes its place at once, for it has its name.
    private let quickGroup = [
        "--kafka.property.group.instance.id", "one", "--linger-ms", "5", "--batch-records", "20", "--log-level", "debug",
    ]

    private func lines(_ folder: String) throws -> [Line] {
        let topic = "\(folder)/kith.changes.v1.docs"
        return try FileManager.default.contentsOfDirectory(atPath: topic).flatMap { partition in
            try FileManager.default.contentsOfDirectory(atPath: "\(topic)/\(partition)").filter { $0.hasSuffix(".jsonl") }
                .sorted()
                .flatMap { name in
                    try String(contentsOfFile: "\(topic)/\(partition)/\(name)", encoding: .utf8).split(separator: "\n").map {
                        try JSONDecoder().decode(Line.self, from: Data($0.utf8))
                    }
                }
        }
    }

    private func waitUntilPublished(_ server: ServerProcess) throws {
        let beat = try server.connection.open(
            .subscribe, ["collection": "docs", "start": "START_NOW", "heartbeatMilliseconds": 100])
        while true {
            let positions = try server.connection.call(.getPositions, ["collection": "docs"])
            if positions["published"] == positions["latest"] { return beat.cancel() }
            try #require(try beat.read() != nil, "not published within a minute: \(positions)")
        }
    }

    @Test func filesAndJournalEndAsTheCollection() throws {
        let broker = try RealBroker()
        let server = try ServerProcess(["--kafka.brokers", broker.address])
        let folder = try TemporaryFolder()
        try server.connection.create("docs", [Make.space(dimension: 2, metric: "L2")], shards: 2)
        let brokers = ["--kafka.brokers", broker.address]
        let etl = ["etl", "--sink", "jsonl", "--folder", folder("files")] + brokers + quickGroup
        var generator = SeededGenerator(seed: 61)
        func write(_ round: Int) throws {
            for part in 0..<10 {
                try server.connection.upsert(
                    "docs", (0..<20).map { Make.point(part * 10 + $0, [Float(round), 1], payload: #"{"round":\#(round)}"#) })
            }
            try server.connection.call(.delete, ["collection": "docs", "ids": [Make.id(round), Make.id(round + 50)]])
        }
        try write(0)
        for round in 1..<4 {
            let consumer = try consume(etl)
            try consumer.waitForOutput("partitions assigned")
            try write(round)
            try consumer.waitForOutput("batch committed", times: Int.random(in: 0...8, using: &generator))
            consumer.kill()
        }
        try waitUntilPublished(server)
        let last = try consume(etl + ["--until-end"])
        #expect(last.wait() == 0, "\(last.output)")
        let lines = try lines(folder("files"))
        #expect(Set(lines.map(\.event)).count == lines.count, "an event is there twice")
        var versions: [UInt64: Int] = [:]
        for line in lines { versions[line.id] = line.op == "delete" ? nil : line.version }
        #expect(try server.connection.count("docs") == UInt64(versions.count))

        let audit = try consume(
            ["audit", "follow", "--folder", folder("journal"), "--segment-bytes", "20000", "--until-end"] + brokers + quickGroup)
        #expect(audit.wait() == 0, "\(audit.output)")
        let verify = try consume(["audit", "verify", "--folder", folder("journal")])
        #expect(verify.wait() == 0 && verify.output.contains("whole: "), "\(verify.output)")
        let query = try consume(["audit", "query", "--folder", folder("journal"), "--operation", "change.delete"])
        #expect(query.wait() == 0)
        #expect(query.output.contains("collections/docs/points/0"), "\(query.output)")

        let erased = ["governance", "prove-erasure", "--collection", "docs", "--id", "3", "--address", server.address]
        #expect(try consume(erased).wait() == 1, "the change log has its images")
        let erasure: JSON = ["name": "e-1", "subject": "ticket", "collection": "docs", "points": [Make.id(3)]]
        try server.connection.call(.requestErasure, ["erasure": erasure])
        try EveryEvent.waitUntilProved("e-1", server.connection)
        #expect(try consume(erased + ["--erasure", "e-1"]).wait() == 0)
        #expect(try consume(erased + ["--files", folder("files")]).wait() == 1)
        #expect(try consume(erased + ["--id", "9"]).wait() == 1)
        #expect(server.terminate() == 0)
    }

    @Test func recordsOfATopicArriveOnce() throws {
        let broker = try RealBroker()
        let server = try ServerProcess()
        let folder = try TemporaryFolder()
        try server.connection.create("products", [Make.space(dimension: 2, metric: "L2")])
        try Data(#"{"collection":"products","id":"sku","vectors":{"":"v"}}"#.utf8).write(to: URL(filePath: folder("map.json")))
        let records = (0..<400).map { number in
            number % 50 == 7 ? "no json" : #"{"sku":\#(number % 90),"v":[\#(number),1],"n":\#(number)}"#
        }
        let ingest =
            [
                "ingest", "--kafka.brokers", broker.address, "--topics", "raw", "--mapping", folder("map.json"), "--address",
                server.address,
                "--dead-letters", folder("dead"),
            ] + quickGroup
        var generator = SeededGenerator(seed: 62)
        for part in 0..<4 {
            try broker.produce(Array(records[part * 100..<part * 100 + 100]), to: "raw")
            guard part < 3 else { break }
            let consumer = try consume(ingest)
            try consumer.waitForOutput("partitions assigned")
            try consumer.waitForOutput("batch committed", times: Int.random(in: 0...4, using: &generator))
            consumer.kill()
        }
        let last = try consume(ingest + ["--until-end"])
        #expect(last.wait() == 0, "\(last.output)")
        let good = records.indices.filter { $0 % 50 != 7 }
        #expect(try server.connection.count("products") == UInt64(Set(good.map { $0 % 90 }).count))
        // A record that was done twice would be a change too many.
        let replay = try ChangeReplay(server.connection, "products")
        try replay.catchUp(server.connection)
        #expect(replay.events == UInt64(good.count))
        let dead = try String(contentsOfFile: folder("dead"), encoding: .utf8).split(separator: "\n")
        #expect(Set(try dead.map { try JSONDecoder().decode(JSON.self, from: Data($0.utf8))["offset"].integer }).count == 8)
        #expect(server.terminate() == 0)
    }
}
