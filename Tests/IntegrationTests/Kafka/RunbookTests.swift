import Foundation
import KithEvents
import TestSupport
import Testing

/// What the runbook (Documentation/events-runbook.md) tells operators to do with cursors and topics, by its own commands, does what it says.
@Suite("Runbook", .serverOutput, .enabled(if: TestEnvironment.kafka != nil, Comment(rawValue: RealBroker.absence)))
struct RunbookTests {
    private static let cursors = "kith.relay.cursor.v1"
    private static let keyed = ["--property", "parse.key=true", "--property", "key.separator=|"]

    private let broker: RealBroker
    private let server: ServerProcess

    init() throws {
        broker = try RealBroker()
        server = try ServerProcess(["--kafka.brokers", broker.address, "--kafka.delivery", "exactly-once"])
        try server.connection.create("films", [Make.space(dimension: 2, metric: "L2", index: "flat")])
    }

    /// A commit each.
    private func write(_ numbers: ClosedRange<Int>, to server: ServerProcess) throws {
        for number in numbers { try server.connection.upsert("films", [Make.point(number, [Float(number), 1])]) }
    }

    /// Positions of the events in a topic, in its order.
    private func positions(in topic: String) throws -> [Int] {
        try TestBroker.real(broker).records(of: topic).compactMap { record in
            let parts = record.header("ce_id")?.split(separator: "/") ?? []
            return parts.count == 4 ? Int(parts[2]) : nil
        }
    }

    /// The shard's last cursor, as the runbook's command prints it: `key|value`.
    private func cursor() throws -> String {
        let printed = try broker.run(
            "kafka-console-consumer.sh",
            [
                "--topic", RunbookTests.cursors, "--from-beginning", "--timeout-ms", "10000", "--isolation-level",
                "read_committed", "--property", "print.key=true", "--property", "key.separator=|",
            ])
        return try #require(printed.split(separator: "\n").last { $0.hasPrefix("kith/1.0|") }.map(String.init), "\(printed)")
    }

    @Test func aCursorIsMovedAndTakenAway() throws {
        try write(1...10, to: server)
        try server.waitUntilPublished("films")
        broker.kill()
        try write(11...20, to: server)
        #expect(server.terminate() == 0)
        try broker.restart()
        let cursor = try cursor()
        #expect(cursor.contains(#""collection":"films""#) && cursor.contains(#""position":10"#), "\(cursor)")
        let moved = cursor.replacing(#""position":10"#, with: #""position":15"#)
        try broker.run("kafka-console-producer.sh", ["--topic", RunbookTests.cursors] + RunbookTests.keyed, input: [moved])
        try server.restart()
        try server.waitUntilPublished("films")
        #expect(try positions(in: "kith.changes.v1.films") == Array(1...10) + Array(16...20))

        #expect(server.terminate() == 0)
        let marked = ["--property", "null.marker=NULL"] + RunbookTests.keyed
        try broker.run(
            "kafka-console-producer.sh", ["--topic", RunbookTests.cursors] + marked, input: ["kith/1.0|NULL"])
        try server.restart()
        try write(21...22, to: server)
        try server.waitUntilPublished("films")
        #expect(try positions(in: "kith.changes.v1.films") == Array(1...10) + Array(16...22), "the log's own cursor counts")
    }

    @Test func anotherPrefixGoesOnInAnotherTopic() throws {
        try write(1...5, to: server)
        try server.waitUntilPublished("films")
        #expect(server.terminate() == 0)
        let next = try ServerProcess(
            ["--kafka.brokers", broker.address, "--kafka.delivery", "exactly-once", "--kafka.topic-prefix", "next"],
            data: server.dataFolder)
        try write(6...8, to: next)
        try next.waitUntilPublished("films")
        #expect(try positions(in: "kith.changes.v1.films") == Array(1...5))
        #expect(try positions(in: "next.changes.v1.films") == Array(6...8))
        #expect(next.terminate() == 0)
    }
}
