import Foundation
import KithAPI
import KithCore
import KithEvents

/// Reads the demo's Kafka topic as any consumer would.
final class TopicReader {
    let topic: String
    private let consumer: KafkaConsumer
    private var isAssigned = false
    private(set) var records: [KafkaRecord] = []
    private(set) var events: [ChangeEventMessage] = []

    init(_ broker: DemoBroker, collection: String) throws(KithError) {
        let configuration = KafkaConfiguration(brokers: broker.address, topicPrefix: broker.topicPrefix)
        topic = configuration.changesTopic(collection: collection)
        consumer = try KafkaConsumer(configuration: configuration)
    }

    /// Reads until all of `wanted` have come.
    func read(until wanted: Set<String>) throws(KithError) {
        var missing = wanted.subtracting(events.map(\.id))
        try Waiting.until(seconds: 30, "Kafka has the changes") { () throws(KithError) in
            if !isAssigned {
                // The topic is made with the first event.
                guard let count = try? consumer.partitionCount(of: topic), count > 0 else { return false }
                try consumer.assign(topic: topic, partitions: 0..<1)
                isAssigned = true
            }
            for record in try consumer.poll(milliseconds: 100) {
                guard let value = record.value else { continue }
                let event: ChangeEventMessage = try MessageJSON.value(try MessageJSON.changeEvent(value))
                records.append(record)
                events.append(event)
                missing.remove(event.id)
            }
            return missing.isEmpty
        }
    }
}
