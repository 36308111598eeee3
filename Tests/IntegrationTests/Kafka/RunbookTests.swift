import Foundation
import KithEvents
import Synchronization
import TestSupport
import Testing

/// What the runbook (Documentation/events-runbook.md) tells operators to do with cursors, topics, groups and brokers, by its own commands, does
/// what it says.
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

    @Test func aGroupIsMovedPastARecordAndBack() throws {
        let topic = "kith.changes.v1.films"
        try write(1...10, to: server)
        try server.waitUntilPublished("films")
        /// Keys that the group is given, in order; it keeps its offsets behind the last.
        func take(_ count: Int) throws -> [String] {
            let printed = try broker.run(
                "kafka-console-consumer.sh",
                [
                    "--topic", topic, "--group", "search-cache", "--from-beginning", "--max-messages", "\(count)", "--timeout-ms",
                    "20000", "--isolation-level", "read_committed", "--property", "print.key=true", "--property",
                    "print.value=false",
                ])
            return printed.split(separator: "\n").map(String.init).filter { Int($0) != nil }
        }
        func reset(_ topic: String, _ place: [String]) throws {
            try broker.run(
                "kafka-consumer-groups.sh",
                ["--group", "search-cache", "--topic", topic, "--reset-offsets"] + place + ["--execute"])
        }
        #expect(try take(4) == ["1", "2", "3", "4"])
        // Event 5 is the one that the group cannot read.
        let poison = try #require(try TestBroker.real(broker).records(of: topic).first { $0.key == Array("5".utf8) })
        try reset("\(topic):\(poison.partition)", ["--to-offset", "\(poison.offset + 1)"])
        #expect(try take(5) == ["6", "7", "8", "9", "10"])
        try reset(topic, ["--to-datetime", "2000-01-01T00:00:00.000"])
        #expect(try take(10) == (1...10).map(String.init))
    }

    /// Of one broker, so each restart is an outage; leaders that move are a matter of the outages in FaultTests.
    @Test func brokersAreRestartedWhileTheRelayWorks() throws {
        try write(1...10, to: server)
        try server.waitUntilPublished("films")
        let state = Mutex((isDown: false, restarts: 0, failure: String?.none))
        let restarts = Threads()
        restarts.start { [broker] in
            for _ in 1...2 {
                broker.stop()
                state.withLock { $0.isDown = true }
                do { try broker.restart() } catch { state.withLock { $0.failure = "\(error)" } }
                state.withLock { ($0.isDown, $0.restarts) = (false, $0.restarts + 1) }
            }
        }
        var (last, duringOutages) = (10, 0)
        while state.withLock({ $0.restarts < 2 }) {
            last += 1
            try write(last...last, to: server)
            if state.withLock({ $0.isDown }) { duringOutages += 1 }
        }
        restarts.join()
        #expect(state.withLock { $0.failure } == nil && duringOutages > 0)
        try server.waitUntilPublished("films")
        #expect(try positions(in: "kith.changes.v1.films") == Array(1...last))
        #expect(server.terminate() == 0)
    }
}
