import KithCore

/// The topics that one shard's records go to, for one turn of the relay's thread.
final class ShardTopics {
    /// Where most of its records go: the one that a status names.
    let main: EventTopic
    private let definition: CollectionDefinition
    private let source: RelayProducer
    private let producer: KafkaProducer
    // Nearly all records go there: it is not looked up for each.
    private var mainTopic: KafkaTopic?
    private var others: [EventTopic: KafkaTopic] = [:]

    init(_ shard: ShardID, _ definition: CollectionDefinition, _ source: RelayProducer, _ producer: KafkaProducer) {
        main = shard == ShardID.nodeLog ? .catalogue : .changes
        self.definition = definition
        self.source = source
        self.producer = producer
    }

    var mainName: String { source.name(of: main, definition) }

    /// Whether records can be sent to these topics now; false while brokers are asked for one.
    ///
    /// - Throws: why one of them cannot be used.
    func areReady(_ topics: [EventTopic]) throws(KithError) -> Bool {
        for topic in topics where known(topic) == nil {
            guard let found = try source.topic(topic, of: definition, on: producer) else { return false }
            if topic == main { mainTopic = found } else { others[topic] = found }
        }
        return true
    }

    /// - Throws: where nobody has made sure that it is ready: its record is kept back.
    subscript(topic: EventTopic) -> KafkaTopic {
        get throws(KithError) {
            guard let known = known(topic) else {
                throw KithError(.internal, .brokerFailure, "topic \(source.name(of: topic, definition)) is not ready")
            }
            return known
        }
    }

    private func known(_ topic: EventTopic) -> KafkaTopic? { topic == main ? mainTopic : others[topic] }
}
