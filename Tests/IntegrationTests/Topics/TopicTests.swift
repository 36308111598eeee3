import Foundation
import TestSupport
import Testing

/// Clients that are not ours read the topics of a running server: Python's confluent-kafka by the published protos, and kcat.
@Suite("Topics", .serverOutput)
struct TopicTests {
    private static let examples = "\(TestEnvironment.repository)/Examples/python"
    private static let kcat = ["/usr/bin/kcat", "/usr/local/bin/kcat"].first { FileManager.default.isExecutableFile(atPath: $0) }

    /// A server whose every topic has something; ends when Kafka has all of it.
    private func publish(to broker: TestBroker) throws -> ServerProcess {
        let server = try ServerProcess(["--kafka.brokers", broker.address, "--events.audit", "commits"])
        let connection = server.connection
        try connection.create(
            "words", [Make.space(dimension: 2, metric: "L2")], shards: 2,
            ["changeEvents": ["state": true, "transactions": true]])
        func upsert(_ numbers: Range<Int>, round: Int) throws {
            let points = numbers.map { Make.point($0, [Float($0), 1], payload: #"{"round":\#(round)}"#) }
            try connection.upsert("words", points)
        }
        try upsert(0..<40, round: 1)
        try upsert(0..<10, round: 2)
        try connection.call(.delete, ["collection": "words", "ids": .all(5..<8) { Make.id($0) }])
        try server.waitUntilPublished("words")
        return server
    }

    private func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = try ChildProcess(program, arguments, environment: ["PYTHONDONTWRITEBYTECODE": "1"])
        #expect(process.wait() == 0, "\(process.output)")
        return process.output
    }

    @Test(
        .enabled(if: TestEnvironment.python != nil, "no Python: Scripts/python-environment.sh makes one"),
        arguments: TestBroker.kinds)
    func pythonReadsThemByTheContract(isReal: Bool) throws {
        let broker = try TestBroker(isReal: isReal, collections: ["words": 2])
        let server = try publish(to: broker)
        defer { withExtendedLifetime(server) {} }
        let python = try #require(TestEnvironment.python)
        let script = "\(TestEnvironment.repository)/Tests/IntegrationTests/Topics/topics.py"
        let checked = try run(python, [script, TopicTests.examples, broker.address, "40", "10", "3"])
        #expect(checked.contains("all topics are as published"), "\(checked)")
        let example = try run(
            python,
            ["\(TopicTests.examples)/consumer.py", "--brokers", broker.address, "--collection", "words", "--until-idle", "2"])
        for line in [
            "io.kith.point.created.v1 0 {", "io.kith.point.deleted.v1 5 {", "io.kith.point.state.v1 5 null",
            "io.kith.transaction.ended.v1 kith/", "io.kith.catalogue.collection.created.v1 collections/words {",
            "io.kith.audit.recorded.v1 127.0.0.1:",
        ] { #expect(example.contains(line), "no '\(line)' in\n\(example)") }
    }

    /// The server's collection and its changes are the script's.
    @Test(
        .enabled(if: TestEnvironment.python != nil, "no Python: Scripts/python-environment.sh makes one"),
        arguments: TestBroker.kinds)
    func aSchemaRegistrysReadersReadThem(isReal: Bool) throws {
        let broker = try TestBroker(isReal: isReal, collections: ["framed": 1])
        let server = try ServerProcess(["--kafka.brokers", broker.address])
        let script = "\(TestEnvironment.repository)/Tests/IntegrationTests/Topics/registry.py"
        let python = try #require(TestEnvironment.python)
        let checked = try run(python, [script, TopicTests.examples, server.address, broker.address])
        #expect(checked.contains("a registry's reader has all 11 changes"), "\(checked)")
        #expect(server.terminate() == 0)
    }

    @Test(.enabled(if: kcat != nil, "no kcat: apt-get install kcat"), arguments: TestBroker.kinds)
    func kcatReadsThem(isReal: Bool) throws {
        let broker = try TestBroker(isReal: isReal, collections: ["words": 2])
        let server = try publish(to: broker)
        defer { withExtendedLifetime(server) {} }
        func read(_ topic: String) throws -> [[Substring]] {
            let text = try run(
                try #require(TopicTests.kcat), ["-C", "-b", broker.address, "-t", topic, "-e", "-q", "-f", "%p %k %S %h\n"])
            return text.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 3) }
        }
        let changes = try read("kith.changes.v1.words")
        #expect(changes.count == 53)
        for line in changes {
            #expect(line[3].contains("ce_id=kith/1.\(line[0])/") && line[3].contains("ce_subject=points/\(line[1]),"), "\(line)")
            #expect(line[3].contains("content-type=application/protobuf"), "\(line)")
        }
        let state = try read("kith.state.v1.words")
        #expect(Set(state.filter { $0[2] == "-1" }.map { $0[1] }) == ["5", "6", "7"], "a size of -1 is a tombstone")
        #expect(try read("kith.tx.v1").count % 2 == 0)
    }
}
