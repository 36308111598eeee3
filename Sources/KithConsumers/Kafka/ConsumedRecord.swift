/// A partition of a topic.
package struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var topic: String
    package var partition: Int

    package init(_ topic: String, _ partition: Int) {
        self.topic = topic
        self.partition = partition
    }

    package var description: String { "\(topic)[\(partition)]" }

    package static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }
}

/// A message as a member of a consumer group read it.
package struct ConsumedRecord: Sendable {
    package var place: TopicPartition
    /// In its partition; transactions leave gaps.
    package var offset: Int64
    /// Milliseconds since 1970.
    package var timestamp: Int64
    /// Nil where it has none.
    package var key: [UInt8]?
    /// Nil is a tombstone.
    package var value: [UInt8]?
    /// In the order they were sent.
    package var headers: [(name: String, value: [UInt8])]

    package init(
        place: TopicPartition, offset: Int64, timestamp: Int64 = 0, key: [UInt8]?, value: [UInt8]?,
        headers: [(name: String, value: [UInt8])] = []
    ) {
        self.place = place
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }

    /// The first header of that name, as text.
    package func header(_ name: String) -> String? {
        headers.first { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) }
    }

    /// About how much memory it takes.
    var byteCount: Int {
        (key?.count ?? 0) + (value?.count ?? 0) + headers.reduce(64) { $0 + $1.name.utf8.count + $1.value.count }
    }
}
