import Foundation
import KithCore
import Synchronization

/// A shard's cursor as Kafka keeps it: written in the transaction of the events that it says are there.
struct PublishedCursor: Codable, Equatable {
    /// Everything up to this commit is in the topic.
    var position: LogPosition
    /// The collection's name and time of creation: another collection's positions mean nothing to this one.
    var collection: String
    var createdAt: Int64
    /// How far points that no commit tells of are in the state topic.
    var state: StateMark?
}

/// `<prefix>.relay.cursor.v1`: compacted, one partition, key `<cluster>/<collection id>.<shard>`, value a `PublishedCursor` as JSON.
///
/// A topic of our own rather than a consumer group's offsets: those expire with an idle group (`offsets.retention.minutes`), and a
/// cursor that is gone means events that come twice.
final class CursorTopic: Sendable {
    static let partition = 0
    /// Small segments: what is read at start-up is what has not been compacted.
    static let segmentBytes = 16 << 20

    let name: String
    private let configuration: KafkaConfiguration
    private let cluster: String
    private let reading: Mutex<Reading>

    private struct Reading {
        /// Only while reading: one that is left alone would fetch on.
        var consumer: KafkaConsumer?
        /// Where the next reading begins.
        var next: Int64?
        var values: [String: [UInt8]] = [:]
    }

    init(configuration: KafkaConfiguration, cluster: String) {
        name = configuration.cursorTopic
        self.configuration = configuration
        self.cluster = cluster
        reading = Mutex(Reading())
    }

    var specification: TopicSpecification {
        TopicSpecification(
            name: name, partitions: 1, replicationFactor: configuration.replicationFactor, cleanup: .compact,
            furtherSettings: ["segment.bytes": "\(CursorTopic.segmentBytes)"])
    }

    func key(of shard: ShardID) -> String { "\(cluster)/\(shard)" }
    func key(ofLane number: Int) -> String { "\(cluster)/relay/\(number)" }

    /// Reads committed cursors on, for at most `milliseconds`, until that of `key` is `value`: then every cursor that was committed before it
    /// is known. Answers whether it came.
    func read(until key: String, is value: [UInt8], milliseconds: Int) throws(KithError) -> Bool {
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        return try reading.withLock { (reading) throws(KithError) in
            defer { if reading.values[key] == value { reading.consumer = nil } }
            while reading.values[key] != value {
                let rest = ContinuousClock.now.duration(to: deadline)
                guard rest > .zero else { return false }
                do throws(KithError) {
                    let consumer = try consumer(&reading)
                    let records = try consumer.poll(milliseconds: max(1, rest.milliseconds))
                    for record in records { reading.values[String(decoding: record.key, as: UTF8.self)] = record.value }
                    reading.next = records.last.map { $0.offset + 1 } ?? reading.next
                } catch {
                    // The next try begins anew.
                    reading.consumer = nil
                    throw error
                }
            }
            return true
        }
    }

    /// The shard's last committed cursor that has been read; nil where there is none.
    ///
    /// - Throws: `CORRUPTION` where the record is none of ours.
    func cursor(of shard: ShardID) throws(KithError) -> PublishedCursor? {
        let key = key(of: shard)
        guard let value = reading.withLock({ $0.values[key] }) else { return nil }
        do { return try JSONDecoder().decode(PublishedCursor.self, from: Data(value)) } catch {
            throw KithError(
                .dataLoss, .corruption, "the record of key \(key) in topic \(name) is no cursor: \(error)",
                metadata: ["topic": name, "key": key])
        }
    }

    static func encode(_ cursor: PublishedCursor) throws(KithError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        do { return Array(try encoder.encode(cursor)) } catch {
            throw KithError(.internal, .corruption, "a cursor cannot be written: \(error)")
        }
    }

    private func consumer(_ reading: inout Reading) throws(KithError) -> KafkaConsumer {
        if let consumer = reading.consumer { return consumer }
        let consumer = try KafkaConsumer(configuration: configuration)
        try consumer.assign(
            topic: name, partitions: CursorTopic.partition..<CursorTopic.partition + 1,
            from: reading.next.map(KafkaConsumer.Start.offset) ?? .beginning)
        reading.consumer = consumer
        return consumer
    }
}
