package import KithCore

/// Where the records of a topic go. It keeps the offsets of what it has beside the data itself, and changes both at once: that is what
/// makes every record arrive exactly once, whoever dies on the way.
///
/// For one thread.
package protocol RecordSink: AnyObject {
    /// Takes these partitions over, and answers where each goes on; nil where there is nothing of it yet. What was added and not committed is
    /// forgotten. Called again for the same partitions after an error.
    func take(_ partitions: [TopicPartition]) throws(KithError) -> [TopicPartition: Int64?]

    /// Takes one record in; it may stay in memory until `commit`.
    func add(_ record: ConsumedRecord) throws(KithError)

    /// Bytes that it fetched elsewhere for what was added, and holds until `commit`.
    var fetchedBytes: Int { get }

    /// Makes everything added durable, with its offsets, at once. Answers the next offset of each partition that moved.
    func commit() throws(KithError) -> [TopicPartition: Int64]

    /// Lets the partitions go, for another process to take. What was not committed is forgotten.
    func release()
}

extension RecordSink {
    package var fetchedBytes: Int { 0 }
}
