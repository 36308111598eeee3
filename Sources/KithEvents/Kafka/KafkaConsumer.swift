internal import CRdKafka
public import KithCore

/// A message read from Kafka.
public struct KafkaRecord: Sendable {
    /// With the prefix of all topics.
    public var topic: String
    /// From 0; in topics of changes and state, the shard.
    public var partition: Int
    /// Grows within the partition; ends of transactions leave holes.
    public var offset: Int64
    /// Milliseconds since 1970.
    public var timestamp: Int64
    /// Empty where it has none.
    public var key: [UInt8]
    /// Nil is a tombstone.
    public var value: [UInt8]?
    /// In the order they were sent.
    public var headers: [(name: String, value: [UInt8])]

    /// The first header of that name, as text.
    public func header(_ name: String) -> String? {
        headers.first { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) }
    }
}

/// Reads partitions from given offsets, outside any consumer group. Not for use from several threads at a time.
public final class KafkaConsumer: Sendable {
    /// Where to begin.
    public enum Start: Sendable {
        case beginning
        case end
        case offset(Int64)
    }

    private let client: KafkaClient

    /// It reads only what is committed.
    public init(configuration: KafkaConfiguration) throws(KithError) {
        client = try KafkaClient(
            .consumer, configuration,
            settings: [
                // librdkafka wants a name, though nothing joins or commits.
                "group.id": "kith", "enable.auto.commit": "false", "enable.auto.offset.store": "false",
                "auto.offset.reset": "earliest", "isolation.level": "read_committed",
                "queued.max.messages.kbytes": "\(Limits.consumerQueueBytes >> 10)",
            ])
        rd_kafka_poll_set_consumer(client.handle)
    }

    /// Partitions of a topic; nil where there is no such topic.
    public func partitionCount(of topic: String) throws(KithError) -> Int? { try client.partitionCount(of: topic) }

    /// The first offset that is kept, and the one that the next message will get.
    public func offsets(of topic: String, partition: Int) throws(KithError) -> Range<Int64> {
        var low: Int64 = 0
        var high: Int64 = 0
        let code = rd_kafka_query_watermark_offsets(
            client.handle, topic, Int32(partition), &low, &high, Int32(Limits.kafkaRequestMilliseconds))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(code).asKithError("cannot ask for the offsets of \(topic)[\(partition)]")
        }
        return low..<max(low, high)
    }

    /// Reads these partitions of `topic` from now on, and nothing else.
    public func assign(topic: String, partitions: Range<Int>, from start: Start = .beginning) throws(KithError) {
        let list = rd_kafka_topic_partition_list_new(Int32(partitions.count))
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for partition in partitions {
            let place = rd_kafka_topic_partition_list_add(list, topic, Int32(partition))
            switch start {
            case .beginning: place?.pointee.offset = Int64(RD_KAFKA_OFFSET_BEGINNING)
            case .end: place?.pointee.offset = Int64(RD_KAFKA_OFFSET_END)
            case .offset(let offset): place?.pointee.offset = offset
            }
        }
        let code = rd_kafka_assign(client.handle, list)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code).asKithError("cannot read \(topic)") }
    }

    /// The next records, at most `limit`; none when none came within `milliseconds`.
    public func poll(limit: Int = Limits.consumerBatch, milliseconds: Int) throws(KithError) -> [KafkaRecord] {
        var records: [KafkaRecord] = []
        // What has come already is taken without waiting for more.
        while records.count < min(limit, Limits.consumerBatch),
            let message = rd_kafka_consumer_poll(client.handle, records.isEmpty ? Int32(clamping: milliseconds) : 0)
        {
            defer { rd_kafka_message_destroy(message) }
            switch message.pointee.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR: records.append(KafkaRecord(message))
            // Brokers come back: librdkafka keeps trying.
            case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__PARTITION_EOF: break
            default: throw KafkaError(message.pointee.err).asKithError("cannot read from Kafka")
            }
        }
        return records
    }
}

extension KafkaRecord {
    fileprivate init(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        let fields = message.pointee
        topic = fields.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? ""
        partition = Int(fields.partition)
        offset = fields.offset
        timestamp = rd_kafka_message_timestamp(message, nil)
        key = Array(UnsafeRawBufferPointer(start: fields.key, count: fields.key_len))
        value = fields.payload.map { Array(UnsafeRawBufferPointer(start: $0, count: fields.len)) }
        headers = []
        var list: OpaquePointer?
        guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        var name: UnsafePointer<CChar>?
        var bytes: UnsafeRawPointer?
        var size = 0
        while rd_kafka_header_get_all(list, headers.count, &name, &bytes, &size) == RD_KAFKA_RESP_ERR_NO_ERROR, let name {
            headers.append((String(cString: name), Array(UnsafeRawBufferPointer(start: bytes, count: size))))
        }
    }
}
