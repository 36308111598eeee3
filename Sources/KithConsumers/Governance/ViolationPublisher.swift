import Foundation
package import KithCore
package import KithEvents
import KithTelemetry
import Synchronization

/// Sends violations to a topic, as CloudEvents with a JSON value; the key is the resource.
package final class ViolationPublisher {
    private final class Receipt: DeliveryReceiver, @unchecked Sendable {
        private let count: Counts
        init(_ count: Counts) { self.count = count }
        override func delivered(_ error: KafkaError?) {
            if error == nil { count.delivered.wrappingAdd(1, ordering: .relaxed) }
        }
    }

    private final class Counts: Sendable { let delivered = Atomic<Int>(0) }

    private let configuration: KafkaConfiguration
    private let name: String
    private var producer: KafkaProducer?

    package init(_ configuration: KafkaConfiguration) {
        self.configuration = configuration
        name = "\(configuration.topicPrefix).violations.v1"
    }

    /// Returns when Kafka has all of them.
    package func publish(_ violations: [Violation]) throws(KithError) {
        guard !violations.isEmpty else { return }
        do throws(KithError) { try send(violations) } catch {
            // A producer that has failed is made anew.
            producer = nil
            throw error
        }
    }

    private func send(_ violations: [Violation]) throws(KithError) {
        let producer = try ready()
        let topic = try producer.topic(name)
        let counts = Counts()
        for violation in violations {
            let key = OwnedBytes(Array(violation.resource.utf8))
            let value = OwnedBytes(try ViolationPublisher.json(violation))
            let headers =
                [
                    ("ce_specversion", "1.0"), ("ce_id", "\(violation.event)/\(violation.id)"),
                    ("ce_source", "//kith/governance"),
                    ("ce_type", "io.kith.governance.violation.v1"), ("ce_subject", violation.resource),
                    ("ce_time", violation.time),
                    ("content-type", "application/json"),
                ] as [(StaticString, String)]
            let texts = headers.map { OwnedBytes(Array($0.1.utf8)) }
            let list = zip(headers, texts).map { KafkaHeader($0.0.0, $0.1.view) }
            let outcome = producer.produce(
                to: topic, partition: 0, key: key.view, value: value.view, headers: list, receiver: Receipt(counts))
            withExtendedLifetime(texts) {}
            guard case .queued = outcome else {
                throw KithError(.unavailable, .brokerFailure, "a violation cannot be sent: \(outcome)")
            }
        }
        producer.flush(milliseconds: 10 * Limits.kafkaRequestMilliseconds)
        guard counts.delivered.load(ordering: .relaxed) == violations.count else {
            throw KithError(.unavailable, .brokerFailure, "Kafka has not taken all violations")
        }
    }

    private func ready() throws(KithError) -> KafkaProducer {
        if let producer { return producer }
        let made = try KafkaProducer(configuration: configuration) { _ in }
        try made.prepareTopic(
            TopicSpecification(name: name, partitions: 1, replicationFactor: configuration.replicationFactor))
        producer = made
        return made
    }

    private static func json(_ violation: Violation) throws(KithError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return [UInt8](try encoder.encode(violation)) } catch {
            throw KithError(.internal, .storageFailure, "a violation cannot be written: \(error)")
        }
    }
}
