import Foundation
import TestSupport
import Testing

/// A real server publishes, real consumers follow and are killed: each event is in a sink once, and the sinks end as the collection.
@Suite("Live sinks", .serverOutput)
struct LiveSinkTests {
    /// Ids of every kind, and of letters that files and tables have to quote.
    private static let ids: [(text: String, id: JSON)] =
        (0..<60).map { ("\($0)", Make.id($0)) }
        + (0..<10).map { number in
            let bytes = (0..<16).map { UInt8($0 * 16 + number) }
            let digits = bytes.map { String(format: "%02x", $0) }.joined()
            let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(Array(digits)[$0]) }
            return (parts.joined(separator: "-"), ["uuid": .bytes(bytes)])
        } + ["a/12/5", "a/11/5", "comma, \"quote\"", "naïve", "tab\tand 'tick'"].map { ($0, Make.id($0)) }

    private func write(_ round: Int, to connection: Connection) throws {
        let words = ["plain", "with, comma", "\\\"quoted\\\"", "line\\nbreak", "é", ""]
        for part in stride(from: 0, to: LiveSinkTests.ids.count, by: 15) {
            let ids = LiveSinkTests.ids[part..<min(part + 15, LiveSinkTests.ids.count)]
            try connection.upsert(
                "docs",
                ids.map {
                    Make.point(
                        $0.id, [Make.vector([Float(round), 1])],
                        payload:
                            #"{"round":\#(round),"word":"\#(words[(part + round) % words.count])","n\#(round)":[1,{"a":null}]}"#)
                })
        }
        let some = [round, round + 50, round + 60, round + 70]
        try connection.call(
            .updatePayload,
            [
                "collection": "docs", "ids": [LiveSinkTests.ids[round + 20].id], "mode": "PAYLOAD_MODE_MERGE",
                "payloadJson": #"{"word":"merged"}"#,
            ])
        try connection.call(.delete, ["collection": "docs", "ids": .all(some) { LiveSinkTests.ids[$0].id }])
    }

    private func points(_ connection: Connection) throws -> [String: SinkPoint] {
        var points: [String: SinkPoint] = [:]
        for (text, id) in LiveSinkTests.ids {
            guard let point = try connection.point("docs", id) else { continue }
            let payload = try JSONDecoder().decode(JSON.self, from: Data((point["payloadJson"].string ?? "").utf8))
            points[text] = SinkPoint(
                version: point["version"].string ?? "", round: payload["round"].integer.map { "\($0)" } ?? "",
                word: payload["word"].string ?? "")
        }
        return points
    }

    @Test(arguments: TestBroker.kinds) func sinksEndAsTheCollection(isReal: Bool) throws {
        let broker = try TestBroker(isReal: isReal, collections: ["docs": 2])
        let server = try ServerProcess(["--kafka.brokers", broker.address])
        let folder = try TemporaryFolder()
        try server.connection.create(
            "docs", [Make.space(dimension: 2, metric: "L2")], shards: 2,
            ["changeEvents": ["vectors": "VECTORS_FULL", "state": true, "transactions": true]])
        var consumers = ["jsonl", "csv"].map {
            LiveConsumer(["etl", "--sink", $0, "--folder", folder($0), "--vectors", "float32", "--file-bytes", "20000"], broker)
        }
        let postgres = PostgresServer.binaries == nil ? nil : try PostgresServer()
        if let postgres {
            try postgres.makeWatchedTable("docs")
            let sink = ["--sink", "postgres", "--postgres", postgres.connection, "--postgres.consumer", "etl"]
            consumers.append(LiveConsumer(["etl"] + sink + ["--dead-letters", folder("dead")], broker))
        } else {
            print("\(PostgresServer.absence): files only")
        }
        var generator = SeededGenerator(seed: 71)
        try write(0, to: server.connection)
        for round in 1..<4 {
            try consumers.runAndKill(after: 0...3, &generator) {
                try write(round, to: server.connection)
                // Its relay sends again what it does not know to be in Kafka.
                if round == 2 { try server.restart() }
                if round == 3 { try postgres?.restart() }
            }
        }
        try server.waitUntilPublished("docs")
        for consumer in consumers {
            let last = try consumer.readToEnd()
            #expect(last.status == 0, "\(last.output)")
        }
        let replay = try ChangeReplay(server.connection, "docs")
        try replay.catchUp(server.connection)
        let wanted = try points(server.connection)
        #expect(wanted.count == LiveSinkTests.ids.count - 4)
        for kind in ["jsonl", "csv"] {
            let files = try SinkFiles(folder(kind), kind, collection: "docs")
            #expect(
                UInt64(files.rows.count) == replay.events && Set(files.rows.map(\.event)).count == files.rows.count, "\(kind)")
            #expect(files.points == wanted, "\(kind)")
            #expect(!FileManager.default.fileExists(atPath: "\(folder(kind))/dead-letters.jsonl"), "\(kind)")
        }
        if let postgres { #expect(try postgres.points("docs") == wanted) }
        #expect(!FileManager.default.fileExists(atPath: folder("dead")))
        #expect(server.terminate() == 0)
    }
}
