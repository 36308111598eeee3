import Foundation
import KithEvents
import TestSupport
import Testing

/// A test broker with the topics of decisions, and a server that publishes to it in JSON.
final class GovernanceTopic {
    struct Event {
        var id: String
        var key: String
        var type: String
        var value: JSON
    }

    private let broker: MockBroker
    let server: ServerProcess
    var connection: Connection { server.connection }
    var brokers: String { broker.bootstrapServers }

    /// - Parameters:
    ///   - collections: that will be made, with one shard each.
    ///   - encoding: of values; lineage is JSON always.
    init(_ arguments: [String] = [], collections: [String] = [], encoding: String = "json") throws {
        broker = try MockBroker()
        for topic in ["catalog", "audit", "governance", "lineage"] { try broker.createTopic("kith.\(topic).v1", partitions: 1) }
        for name in collections { try broker.createTopic("kith.changes.v1.\(name)", partitions: 1) }
        server = try ServerProcess(
            ["--kafka.brokers", broker.bootstrapServers, "--events.encoding", encoding] + arguments)
    }

    /// The topic's events, once there are so many; fewer when nothing more comes for ten seconds. One that came again, as it may after a crash, counts once.
    func events(of topic: String = "governance", atLeast count: Int) throws -> [Event] {
        let consumer = try KafkaConsumer(configuration: KafkaConfiguration(brokers: broker.bootstrapServers))
        try consumer.assign(topic: "kith.\(topic).v1", partitions: 0..<1)
        var events: [Event] = []
        var ids: Set<String> = []
        while events.count < count {
            let records = try consumer.poll(milliseconds: 10_000)
            if records.isEmpty { break }
            for record in records {
                let id = record.header("ce_id") ?? ""
                guard ids.insert(id).inserted else { continue }
                events.append(
                    Event(
                        id: id, key: String(decoding: record.key, as: UTF8.self),
                        type: record.header("ce_type") ?? "",
                        value: try JSONDecoder().decode(JSON.self, from: Data(record.value ?? []))))
            }
        }
        return events
    }
}
