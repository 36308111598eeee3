import Foundation
import KithEvents
import TestSupport
import Testing

/// `Subscribe`, Kafka and webhooks carry the same message from the same log: field by field, whatever its encoding, vectors and redactions.
@Suite("One message", .serverOutput, .enabled(if: Receiver.isPossible, "needs a Python (KITH_PYTHON) and openssl"))
struct OneMessageTests {
    private static let webhook = "all"

    @Test(arguments: TestBroker.kinds) func threeWays(isReal: Bool) throws {
        let broker = try TestBroker(isReal: isReal, collections: EveryEvent.collections)
        let receiver = try Receiver()
        let server = try ServerProcess(["--kafka.brokers", broker.address, "--webhooks.ca-file", receiver.certificate])
        // Collections of every policy, and changes of every kind.
        for step in EveryEvent.steps.prefix(2) { try step(try EveryEvent(server)) }
        try server.connection.call(
            .createWebhook,
            [
                "webhook": ["name": .text(OneMessageTests.webhook), "url": receiver.url("/ok/")],
                "secret": .text(Receiver.secrets[0]), "start": "START_EARLIEST",
            ])
        try server.waitUntilPublished("digests")
        try waitUntilDelivered(server)
        let posted = receiver.requests().flatMap(\.events).reduce(into: [:]) { $0[$1.id] = $1.data }
        for (name, shards) in [("digests", 2), ("images", 1), ("bare", 1)] {
            let records = try broker.records(of: "kith.changes.v1.\(name)", partitions: shards)
            let subscribed = try subscribed(to: name, count: records.count, server)
            #expect(records.count > 10 && Set(records.compactMap { $0.header("ce_id") }) == Set(subscribed.keys), "\(name)")
            for record in records {
                let id = record.header("ce_id") ?? ""
                let inKafka = try message(record)
                #expect(inKafka["id"].string == id)
                #expect(inKafka == subscribed[id], "\(name): \(id) of Kafka and of Subscribe")
                #expect(inKafka == posted[id], "\(name): \(id) of Kafka and of the webhook")
            }
        }
        #expect(server.terminate() == 0)
    }

    private func message(_ record: KafkaRecord) throws -> JSON {
        let bytes = record.value ?? []
        return record.header("content-type") == "application/json"
            ? try JSONDecoder().decode(JSON.self, from: Data(bytes))
            : try Message.decodeWithoutDefaults(bytes, as: "kith.v1.ChangeEvent")
    }

    /// So many events from the first on, by id.
    private func subscribed(to collection: String, count: Int, _ server: ServerProcess) throws -> [String: JSON] {
        let stream = try server.connection.open(.subscribe, ["collection": .text(collection), "start": "START_POSITION"])
        var events: [String: JSON] = [:]
        while events.count < count, let message = try stream.readWithoutDefaults() {
            for event in message["events"].list { events[event["id"].string ?? ""] = event }
        }
        stream.cancel()
        return events
    }

    /// The change stream's heartbeats give the pace.
    private func waitUntilDelivered(_ server: ServerProcess) throws {
        let beat = try server.connection.open(
            .subscribe, ["collection": "digests", "start": "START_NOW", "heartbeatMilliseconds": 100])
        while try server.connection.call(.getWebhook, ["name": .text(OneMessageTests.webhook)])["lagCommits"].integer != 0 {
            try #require(try beat.read() != nil, "not within a minute\n\(server.output)")
        }
        beat.cancel()
    }
}
