import KithCore

/// The topics that one shard's records go to, for one turn.
struct ShardTopics {
    private let shard: ShardID
    private let definition: CollectionDefinition
    private let source: RelayProducer
    private let producer: KafkaProducer
    // Nearly all records are changes: that topic is not looked up for each.
    private let changes: Result<KafkaTopic, KithError>?

    init(_ shard: ShardID, _ definition: CollectionDefinition, _ source: RelayProducer, _ producer: KafkaProducer) {
        self.shard = shard
        self.definition = definition
        self.source = source
        self.producer = producer
        guard shard != ShardID.nodeLog else {
            changes = nil
            return
        }
        do throws(KithError) { changes = .success(try source.topic(.changes, of: definition, on: producer)) } catch {
            changes = .failure(error)
        }
    }

    /// Where most of its records go: the one that a status names.
    var main: KafkaTopic {
        get throws(KithError) {
            if let changes { return try changes.get() }
            return try self[.catalogue]
        }
    }

    subscript(topic: EventTopic) -> KafkaTopic {
        get throws(KithError) {
            if topic == .changes, let changes { return try changes.get() }
            return try source.topic(topic, of: definition, on: producer)
        }
    }
}
