import Foundation
import TestSupport
import Testing

/// The change stream in a real Kafka: everything, in order, whoever dies on the way.
@Suite("Kafka", .serverOutput, .enabled(if: TestEnvironment.kafka != nil, Comment(rawValue: RealBroker.absence)))
struct KafkaTests {
    private struct Event: Decodable {
        struct Source: Decodable {
            var shard: Int?
            var position: String
            var index: Int?
        }
        struct Image: Decodable { var payloadJson: String? }
        var id: String
        var op: String
        var after: Image?
        var source: Source
    }

    private static let shards = 2

    private func create(_ server: ServerProcess) throws {
        try server.connection.create(
            "docs", [Make.space(dimension: 2, metric: "L2")], shards: KafkaTests.shards,
            ["changeEvents": ["encoding": "ENCODING_JSON"]])
    }

    /// Waits until `condition` holds; the change stream's heartbeats give the pace, and end within a minute.
    private func wait(_ server: ServerProcess, until condition: () throws -> Bool) throws {
        let beat = try server.connection.open(
            .subscribe, ["collection": "docs", "start": "START_NOW", "heartbeatMilliseconds": 100])
        while try !condition() {
            let status = try server.connection.call(.getEventStatus, [:])
            try #require(try beat.read() != nil, "not within a minute: \(status)")
        }
        beat.cancel()
    }

    /// Whether Kafka has acknowledged every commit.
    private func isPublished(_ connection: Connection) throws -> Bool {
        let positions = try connection.call(.getPositions, ["collection": "docs"])
        return positions["published"] == positions["latest"]
    }

    private func waitUntilPublished(_ server: ServerProcess) throws {
        try wait(server) { try isPublished(server.connection) }
    }

    private func write(_ round: Int, to server: ServerProcess) throws {
        for part in 0..<20 {
            try server.connection.upsert(
                "docs", (0..<10).map { Make.point(part * 10 + $0, [Float(round), 1], payload: #"{"round":\#(round)}"#) })
        }
        try server.connection.call(.delete, ["collection": "docs", "ids": [Make.id(round)]])
    }

    /// Every event of the log is there, in the order of its shard; one that came twice is the same event.
    private func check(_ records: [RealBroker.Record], against server: ServerProcess, once: Bool = false) throws {
        let replay = try ChangeReplay(server.connection, "docs")
        try replay.catchUp(server.connection)
        var seen: [String: String] = [:]
        var last = Array(repeating: (position: 0, index: -1), count: KafkaTests.shards)
        for record in records {
            let event = try JSONDecoder().decode(Event.self, from: Data(record.value.utf8))
            #expect(record.partition == event.source.shard ?? 0)
            #expect(record.headers["ce_id"] == event.id && record.headers["ce_specversion"] == "1.0")
            #expect(record.headers["ce_subject"] == "points/\(record.key)")
            if let before = seen.updateValue(record.value, forKey: event.id) {
                #expect(before == record.value, "\(event.id) came twice, and not as the same")
                #expect(!once, "\(event.id) came twice")
                continue
            }
            let place = (position: try #require(Int(event.source.position)), index: event.source.index ?? 0)
            #expect(last[record.partition] < place, "\(event.id) is out of order")
            last[record.partition] = place
        }
        #expect(UInt64(seen.count) == replay.events)
    }

    @Test func nothingIsLostWhenServerAndBrokerDie() throws {
        let broker = try RealBroker()
        let server = try ServerProcess(["--kafka.brokers", broker.address])
        try create(server)
        try write(0, to: server)
        try waitUntilPublished(server)
        // The broker dies; writes go on, for the log waits.
        broker.kill()
        try write(1, to: server)
        // So does the server, with events under way.
        try server.restart()
        try write(2, to: server)
        try broker.restart()
        try write(3, to: server)
        try server.restart()
        try waitUntilPublished(server)
        let replay = try ChangeReplay(server.connection, "docs")
        try replay.catchUp(server.connection)
        let records = try broker.records(of: "kith.changes.v1.docs", atLeast: Int(replay.events) + 10_000, seconds: 5)
        try check(records, against: server)
        #expect(server.terminate() == 0)
    }

    @Test func exactlyOnceWhateverDies() throws {
        let broker = try RealBroker()
        let server = try ServerProcess(["--kafka.brokers", broker.address, "--kafka.delivery", "exactly-once"])
        try create(server)
        var random = SeededGenerator(seed: 5)
        for round in 0..<8 {
            try write(round, to: server)
            // Killed anywhere: before the session, between two steps of a transaction, after its commit.
            for _ in 0..<2 {
                try server.restartAndKill(
                    at: .broker, number: Int.random(in: 1...40, using: &random), isTaken: Bool.random(using: &random),
                    orWhen: isPublished)
            }
            try server.restart()
        }
        try waitUntilPublished(server)
        broker.kill()
        try write(8, to: server)
        try server.restart()
        try write(9, to: server)
        try broker.restart()
        try waitUntilPublished(server)
        let replay = try ChangeReplay(server.connection, "docs")
        try replay.catchUp(server.connection)
        let records = try broker.records(
            of: "kith.changes.v1.docs", atLeast: Int(replay.events) + 10_000, seconds: 5, committed: true)
        try check(records, against: server, once: true)
        #expect(server.terminate() == 0)
    }

    @Test func aSecondServerFencesTheFirst() throws {
        let broker = try RealBroker()
        let settings = ["--kafka.brokers", broker.address, "--kafka.delivery", "exactly-once"]
        let first = try ServerProcess(settings)
        try create(first)
        try write(0, to: first)
        try waitUntilPublished(first)
        #expect(first.terminate() == 0)
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(atPath: first.dataFolder, toPath: folder("data"))
        try first.restart()
        try write(1, to: first)
        try waitUntilPublished(first)
        // A copy that is older than what has been published has nothing to say, but has fenced the first.
        let second = try ServerProcess(settings, data: folder("data"))
        func failure(_ server: ServerProcess) throws -> Set<String> {
            let status = try server.connection.call(.getEventStatus, [:])
            return Set(status["shards"].list.compactMap { $0["failureReason"].string }.filter { !$0.isEmpty })
        }
        try wait(second) { try failure(second) == ["INVALID_CONFIGURATION"] }
        try write(2, to: first)
        try wait(first) { try failure(first) == ["RELAY_FENCED"] }
        // What the second server's end leaves to do, the first does after a restart.
        #expect(second.terminate() == 0)
        try write(3, to: first)
        #expect(try failure(first) == ["RELAY_FENCED"])
        try first.restart()
        try waitUntilPublished(first)
        let replay = try ChangeReplay(first.connection, "docs")
        try replay.catchUp(first.connection)
        let records = try broker.records(
            of: "kith.changes.v1.docs", atLeast: Int(replay.events) + 10_000, seconds: 5, committed: true)
        try check(records, against: first, once: true)
    }
}
