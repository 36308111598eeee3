import TestSupport
import Testing

/// Topics as a real Kafka has them: made as the contract says; and what somebody else made otherwise is named, and never altered.
@Suite("Topic policies", .serverOutput, .enabled(if: TestEnvironment.kafka != nil, Comment(rawValue: RealBroker.absence)))
struct TopicPolicyTests {
    private static let space = Make.space(dimension: 2, metric: "L2", index: "flat")

    /// `partitions cleanup.policy` of every topic that is not Kafka's own.
    private func topics(_ broker: RealBroker) throws -> [String: String] {
        let told = try broker.run("kafka-topics.sh", ["--describe", "--exclude-internal"])
        return told.matches(of: /Topic: (\S+).*PartitionCount: (\d+).*Configs: (\S*)/).reduce(into: [:]) { topics, topic in
            let policy = topic.3.split(separator: ",").first { $0.hasPrefix("cleanup.policy=") }?.dropFirst(15) ?? "none"
            topics[String(topic.1)] = "\(topic.2) \(policy)"
        }
    }

    @Test func areMadeAsTheContractSays() throws {
        let broker = try RealBroker()
        let server = try ServerProcess([
            "--kafka.brokers", broker.address, "--kafka.delivery", "exactly-once", "--events.audit", "commits",
        ])
        try server.connection.create(
            "docs", [TopicPolicyTests.space], shards: 3, ["changeEvents": ["state": true, "transactions": true]])
        try server.connection.upsert("docs", (0..<20).map { Make.point($0, [Float($0), 1]) })
        try server.connection.call(.registerModel, ["model": ["id": "minilm", "revision": "2"]])
        try server.waitUntilPublished("docs")
        #expect(
            try topics(broker) == [
                "kith.changes.v1.docs": "3 delete", "kith.state.v1.docs": "3 compact", "kith.tx.v1": "1 delete",
                "kith.catalog.v1": "1 compact", "kith.audit.v1": "1 delete", "kith.governance.v1": "1 compact",
                "kith.lineage.v1": "1 delete", "kith.relay.cursor.v1": "1 compact",
            ])
    }

    private func retention(of topic: String, _ broker: RealBroker) throws -> String? {
        let told = try broker.run("kafka-topics.sh", ["--describe", "--topic", topic])
        return told.firstMatch(of: /retention\.ms=(\d+)/).map { String($0.1) }
    }

    @Test func auditIsKeptAsLongAsIsSet() throws {
        let broker = try RealBroker()
        func start(_ prefix: String, _ arguments: [String]) throws -> ServerProcess {
            let server = try ServerProcess(
                ["--kafka.brokers", broker.address, "--kafka.topic-prefix", prefix, "--events.audit", "writes"] + arguments)
            try server.connection.create("docs", [TopicPolicyTests.space])
            try server.connection.upsert("docs", [Make.point(1, [1, 1])])
            try server.waitUntilPublished("docs")
            return server
        }
        let warning = "a topic keeps records for less time than is set"
        let standard = try start("standard", [])
        #expect(try retention(of: "standard.audit.v1", broker) == "\(400 * 86_400_000)")
        #expect(try retention(of: "standard.lineage.v1", broker) == nil)
        _ = try start("short", ["--events.audit-days", "2"])
        #expect(try retention(of: "short.audit.v1", broker) == "\(2 * 86_400_000)")
        _ = try start("brokers", ["--events.audit-days", "0"])
        #expect(try retention(of: "brokers.audit.v1", broker) == nil)
        #expect(!standard.output.contains(warning), "\(standard.output)")

        // Another server finds the topic of two days, and goes on.
        let late = try start("short", ["--cluster", "late"])
        #expect(late.output.contains(warning) && late.output.contains("short.audit.v1"), "\(late.output)")
        #expect(try retention(of: "short.audit.v1", broker) == "\(2 * 86_400_000)")
    }

    /// What `events status` says of a collection's shards, once a failure is among it.
    private func failure(_ collection: JSON, _ server: ServerProcess) throws -> String {
        let beat = try server.connection.open(
            .subscribe, ["collection": collection, "start": "START_NOW", "heartbeatMilliseconds": 100])
        repeat {
            let shards = try server.connection.call(.getEventStatus, ["collection": collection])["shards"].list
            if let shard = shards.first(where: { $0["failureReason"] != "" }) {
                beat.cancel()
                return "\(shard["failureReason"].string ?? ""): \(shard["failureMessage"].string ?? "")"
            }
        } while try beat.read() != nil
        return "none within a minute"
    }

    @Test(arguments: ["at-least-once", "exactly-once"]) func othersAreNamedAndLeftAsTheyAre(delivery: String) throws {
        let broker = try RealBroker()
        func make(_ topic: String, _ partitions: Int, _ policy: String) throws {
            try broker.run(
                "kafka-topics.sh",
                ["--create", "--topic", topic, "--partitions", "\(partitions)", "--config", "cleanup.policy=\(policy)"])
        }
        try make("kith.changes.v1.compacted", 1, "compact")
        try make("kith.changes.v1.narrow", 1, "delete")
        try make("kith.changes.v1.wide", 5, "delete")
        let server = try ServerProcess(["--kafka.brokers", broker.address, "--kafka.delivery", delivery])
        for (name, shards) in [("compacted", 1), ("narrow", 2), ("wide", 2)] {
            try server.connection.create(name, [TopicPolicyTests.space], shards: shards)
            try server.connection.upsert(name, (0..<10).map { Make.point($0, [Float($0), 1]) })
        }
        let compacted = try failure("compacted", server)
        #expect(compacted.hasPrefix("INVALID_CONFIGURATION: ") && compacted.contains("cleanup.policy 'compact'"), "\(compacted)")
        let narrow = try failure("narrow", server)
        #expect(narrow.hasPrefix("INVALID_CONFIGURATION: ") && narrow.contains("has 1 partitions"), "\(narrow)")
        // One that has more than it needs is well, and its shards do not wait for the others'.
        try wait(for: "wide", server)
        let changes = try topics(broker).filter { $0.key.contains(".changes.") }
        #expect(
            changes == [
                "kith.changes.v1.compacted": "1 compact", "kith.changes.v1.narrow": "1 delete",
                "kith.changes.v1.wide": "5 delete",
            ])
        // As the runbook has it.
        try broker.run(
            "kafka-configs.sh",
            [
                "--alter", "--entity-type", "topics", "--entity-name", "kith.changes.v1.compacted", "--add-config",
                "cleanup.policy=delete",
            ])
        try wait(for: "compacted", server)
        #expect(try broker.records(of: "kith.changes.v1.compacted", atLeast: 11, seconds: 3).count == 10)
        #expect(try topics(broker)["kith.changes.v1.narrow"] == "1 delete")
        #expect(try broker.records(of: "kith.changes.v1.narrow", atLeast: 1, seconds: 3).isEmpty)
    }

    /// Waits until Kafka has all of a collection. The change stream's heartbeats give the pace.
    private func wait(for collection: JSON, _ server: ServerProcess) throws {
        let beat = try server.connection.open(
            .subscribe, ["collection": collection, "start": "START_NOW", "heartbeatMilliseconds": 100])
        while true {
            let positions = try server.connection.call(.getPositions, ["collection": collection])
            if positions["published"] == positions["latest"] { return beat.cancel() }
            try #require(try beat.read() != nil, "\(collection) is not published within a minute")
        }
    }
}
