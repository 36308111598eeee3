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

    /// Waits until Kafka has acknowledged every commit. The change stream's heartbeats give the pace.
    private func waitUntilPublished(_ server: ServerProcess) throws {
        let beat = try server.connection.open(
            .subscribe, ["collection": "docs", "start": "START_NOW", "heartbeatMilliseconds": 100])
        while true {
            let positions = try server.connection.call(.getPositions, ["collection": "docs"])
            if positions["published"] == positions["latest"] { return beat.cancel() }
            try #require(try beat.read() != nil, "not published within a minute: \(positions)")
        }
    }

    /// Every event of the log is there, in the order of its shard; one that came twice is the same event.
    private func check(_ records: [RealBroker.Record], against server: ServerProcess) throws {
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
        func write(_ round: Int) throws {
            for part in 0..<20 {
                try server.connection.upsert(
                    "docs", (0..<10).map { Make.point(part * 10 + $0, [Float(round), 1], payload: #"{"round":\#(round)}"#) })
            }
            try server.connection.call(.delete, ["collection": "docs", "ids": [Make.id(round)]])
        }
        try write(0)
        try waitUntilPublished(server)
        // The broker dies; writes go on, for the log waits.
        broker.kill()
        try write(1)
        // So does the server, with events under way.
        try server.restart()
        try write(2)
        try broker.restart()
        try write(3)
        try server.restart()
        try waitUntilPublished(server)
        let replay = try ChangeReplay(server.connection, "docs")
        try replay.catchUp(server.connection)
        let records = try broker.records(of: "kith.changes.v1.docs", atLeast: Int(replay.events) + 10_000, seconds: 5)
        try check(records, against: server)
        #expect(server.terminate() == 0)
    }
}
