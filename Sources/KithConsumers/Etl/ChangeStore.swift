package import KithCore

/// How far a store has followed a partition.
package struct Progress: Codable, Equatable, Sendable {
    /// The offset that comes next.
    package var offset: Int64
    /// The last event that it has: Kafka may bring older ones again, with new offsets, after a relay's crash.
    package var last: EventPlace?

    package init(offset: Int64, last: EventPlace? = nil) {
        self.offset = offset
        self.last = last
    }
}

/// Changes of one partition, in order, that a store takes whole or not at all.
package struct ChangeBatch: Sendable {
    package var place: TopicPartition
    /// Where the store must be; nil where it has nothing of this partition.
    package var from: Progress?
    /// Where it is afterwards.
    package var to: Progress
    package var changes: [ChangeRecord]

    package init(place: TopicPartition, from: Progress?, to: Progress, changes: [ChangeRecord] = []) {
        self.place = place
        self.from = from
        self.to = to
        self.changes = changes
    }
}

/// Where changes end up, with the progress beside them.
package protocol ChangeStore: AnyObject {
    /// Takes partitions over and answers how far each is. What an earlier process left half done is undone.
    func take(_ partitions: [TopicPartition]) throws(KithError) -> [TopicPartition: Progress]

    /// Makes the batches durable, each with its progress.
    ///
    /// - Parameter reject: gets changes that the store can never hold; the batch goes on without them.
    /// - Throws: where `from` is not where the store is: another process has moved on.
    func write(_ batches: [ChangeBatch], reject: (ChangeRecord, String) throws(KithError) -> Void) throws(KithError)

    /// Lets all partitions go.
    func release()

    /// Runs of those who write to it.
    var runs: any RunNotes { get }

    /// What it makes of a collection.
    ///
    /// - Parameter topic: the collection's changes topic.
    func dataset(of collection: String, topic: String) -> DatasetName
}

extension KithError {
    /// Another process has taken a partition over: what this one read is not its to write.
    static func overtaken(_ place: TopicPartition) -> KithError {
        KithError(
            .aborted, .storageFailure, "another process has gone on with \(place)",
            metadata: ["topic": place.topic, "partition": "\(place.partition)"])
    }
}
