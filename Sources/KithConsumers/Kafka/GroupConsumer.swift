internal import CRdKafka
import Glibc
package import KithCore
package import KithEvents
import KithTelemetry

/// A committed offset, and what its committer noted beside it.
package struct OffsetMark: Equatable, Sendable {
    /// The offset that comes next.
    package var offset: Int64
    /// Kafka's metadata of the offset, which whoever takes over reads.
    package var note: String

    package init(offset: Int64, note: String = "") {
        self.offset = offset
        self.note = note
    }
}

/// A member of a consumer group that keeps offsets elsewhere: it says which partitions it is given and which are taken away, and reads
/// each from where it is told. It never resets an offset by itself: one that Kafka no longer has is an error, not a silent gap.
///
/// For one thread.
package final class GroupConsumer {
    /// What happened.
    package enum Event: Sendable {
        case record(ConsumedRecord)
        /// The group gives these partitions, and only these: answer with `read`.
        case assigned([TopicPartition])
        /// The group takes all partitions back: finish with them, then answer with `letGo`. `isLost`: another member may have them already.
        case revoked(isLost: Bool)
        /// Everything that is committed in this partition has been read.
        case end(TopicPartition)
        /// Something that librdkafka goes on to work on by itself.
        case trouble(String)
    }

    private static let log = Log("kafka")
    private let handle: OpaquePointer
    private let queue: OpaquePointer
    private var isClosed = false

    /// Joins the group.
    ///
    /// - Parameter topics: names, or patterns that begin with `^`.
    /// - Throws: `INVALID_CONFIGURATION`, naming the property.
    package init(_ configuration: KafkaConfiguration, group: String, topics: [String]) throws(KithError) {
        try configuration.validate()
        var properties = ["bootstrap.servers": configuration.brokers, "client.id": "kith-consume"]
        // New topics of a pattern are found within seconds, not minutes.
        properties["topic.metadata.refresh.interval.ms"] = "10000"
        properties.merge(configuration.properties) { $1 }
        properties.merge(GroupConsumer.ownProperties(group)) { $1 }
        handle = try ClientHandle.open(properties, isConsumer: true, events: RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR)
        rd_kafka_poll_set_consumer(handle)
        queue = rd_kafka_queue_get_consumer(handle)
        let list = rd_kafka_topic_partition_list_new(Int32(topics.count))
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for topic in topics { rd_kafka_topic_partition_list_add(list, topic, -1) }
        let code = rd_kafka_subscribe(handle, list)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw ClientHandle.error(code, "cannot follow \(topics)") }
    }

    deinit {
        rd_kafka_queue_destroy(queue)
        rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
    }

    /// What exactly once at the sink rests on: nobody may change these.
    private static func ownProperties(_ group: String) -> [String: String] {
        [
            "group.id": group, "enable.auto.commit": "false", "enable.auto.offset.store": "false",
            "isolation.level": "read_committed", "auto.offset.reset": "error", "enable.partition.eof": "true",
            "queued.max.messages.kbytes": "\(Limits.consumerQueueBytes >> 10)",
            // Partitions are handed over whole, after their last batch is in the sink.
            "partition.assignment.strategy": "range,roundrobin",
        ]
    }

    /// The next thing that happens; nil when nothing does within `milliseconds`.
    ///
    /// - Throws: what ends this consumer: fenced, not authorised, or an offset that Kafka no longer has.
    package func poll(milliseconds: Int) throws(KithError) -> Event? {
        guard let event = rd_kafka_queue_poll(queue, Int32(clamping: milliseconds)) else { return nil }
        defer { rd_kafka_event_destroy(event) }
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_FETCH:
            guard let message = rd_kafka_event_message_next(event) else { return nil }
            return try GroupConsumer.event(of: message)
        case RD_KAFKA_EVENT_REBALANCE:
            guard rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS else {
                return .revoked(isLost: rd_kafka_assignment_lost(handle) == 1)
            }
            let list = rd_kafka_event_topic_partition_list(event)
            return .assigned(list.map(GroupConsumer.places) ?? [])
        case RD_KAFKA_EVENT_ERROR:
            let code = rd_kafka_event_error(event)
            if code == RD_KAFKA_RESP_ERR__PARTITION_EOF, let place = rd_kafka_event_topic_partition(event) {
                defer { rd_kafka_topic_partition_destroy(place) }
                return .end(TopicPartition(String(cString: place.pointee.topic), Int(place.pointee.partition)))
            }
            return try GroupConsumer.judge(code, rd_kafka_event_error_string(event).map { String(cString: $0) } ?? "")
        default: return nil
        }
    }

    /// Reads these partitions from now on, each from its offset; nil is the first that there is.
    package func read(_ partitions: [TopicPartition: Int64?]) throws(KithError) {
        let list = GroupConsumer.list(partitions.mapValues { $0 ?? Int64(RD_KAFKA_OFFSET_BEGINNING) })
        defer { rd_kafka_topic_partition_list_destroy(list) }
        let code = rd_kafka_assign(handle, list)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw ClientHandle.error(code, "cannot read from Kafka") }
    }

    /// Stops to read these partitions, and stays a member of the group, until `read` says where to go on.
    package func pause(_ partitions: [TopicPartition]) {
        let list = GroupConsumer.list(Dictionary(uniqueKeysWithValues: partitions.map { ($0, 0) }))
        defer { rd_kafka_topic_partition_list_destroy(list) }
        rd_kafka_pause_partitions(handle, list)
    }

    /// Goes on to read what was paused.
    package func resume(_ partitions: [TopicPartition]) {
        let list = GroupConsumer.list(Dictionary(uniqueKeysWithValues: partitions.map { ($0, 0) }))
        defer { rd_kafka_topic_partition_list_destroy(list) }
        rd_kafka_resume_partitions(handle, list)
    }

    /// Gives the partitions back to the group.
    package func letGo() { rd_kafka_assign(handle, nil) }

    /// Tells the group how far the sink is, for tools that show lag. Nothing reads it back, so nothing waits for it.
    package func report(_ offsets: [TopicPartition: Int64]) {
        guard !offsets.isEmpty else { return }
        let list = GroupConsumer.list(offsets)
        defer { rd_kafka_topic_partition_list_destroy(list) }
        rd_kafka_commit(handle, list, 1)
    }

    /// Commits offsets with a note each, and waits for it.
    ///
    /// - Throws: where the group has given the partition to another member.
    package func commit(_ marks: [TopicPartition: OffsetMark]) throws(KithError) {
        let list = GroupConsumer.list(marks.mapValues(\.offset))
        // The list frees the notes, as C does.
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for place in 0..<Int(list.pointee.cnt) {
            let element = list.pointee.elems + place
            let note = marks[TopicPartition(String(cString: element.pointee.topic), Int(element.pointee.partition))]?.note ?? ""
            element.pointee.metadata = UnsafeMutableRawPointer(strdup(note))
            element.pointee.metadata_size = note.utf8.count
        }
        let code = rd_kafka_commit(handle, list, 0)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw ClientHandle.error(code, "cannot commit offsets") }
    }

    /// What was committed for these partitions; those of which nothing was are left out.
    package func committed(_ partitions: [TopicPartition]) throws(KithError) -> [TopicPartition: OffsetMark] {
        let list = GroupConsumer.list(Dictionary(uniqueKeysWithValues: partitions.map { ($0, 0) }))
        defer { rd_kafka_topic_partition_list_destroy(list) }
        let code = rd_kafka_committed(handle, list, Int32(Limits.kafkaRequestMilliseconds))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw ClientHandle.error(code, "cannot ask for committed offsets") }
        var marks: [TopicPartition: OffsetMark] = [:]
        for element in UnsafeBufferPointer(start: list.pointee.elems, count: Int(list.pointee.cnt)) {
            let place = TopicPartition(String(cString: element.topic), Int(element.partition))
            guard element.err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw ClientHandle.error(element.err, "\(place)") }
            guard element.offset >= 0 else { continue }
            let note = UnsafeRawBufferPointer(start: element.metadata, count: element.metadata_size)
            marks[place] = OffsetMark(offset: element.offset, note: String(decoding: note, as: UTF8.self))
        }
        return marks
    }

    /// Leaves the group, so that others take over at once. What was read and is not in the sink is read again.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        if let error = rd_kafka_consumer_close_queue(handle, queue) { rd_kafka_error_destroy(error) }
        let deadline = ContinuousClock.now + .milliseconds(3 * Limits.kafkaRequestMilliseconds)
        // Without a broker nobody can be told; the group then notices by itself.
        while rd_kafka_consumer_closed(handle) == 0, .now < deadline {
            guard let event = rd_kafka_queue_poll(queue, 100) else { continue }
            if rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE { rd_kafka_assign(handle, nil) }
            rd_kafka_event_destroy(event)
        }
    }

    // MARK: C to values

    private static func event(of message: UnsafePointer<rd_kafka_message_t>) throws(KithError) -> Event? {
        let fields = message.pointee
        let topic = fields.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? ""
        let place = TopicPartition(topic, Int(fields.partition))
        switch fields.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR: return .record(ConsumedRecord(message, place))
        default: return try judge(fields.err, "\(place): \(rd_kafka_message_errstr(message).map { String(cString: $0) } ?? "")")
        }
    }

    /// Trouble that passes, or an error that does not.
    private static func judge(_ code: rd_kafka_resp_err_t, _ text: String) throws(KithError) -> Event {
        switch code {
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
            throw KithError(
                .outOfRange, .positionTrimmed,
                "Kafka no longer has the records that come next, so that changes would be missed: \(text). Fill the sink anew from the start",
                metadata: ["kafka_error": String(cString: rd_kafka_err2name(code))])
        case RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR__AUTHENTICATION:
            throw ClientHandle.error(code, text)
        default: return .trouble("\(String(cString: rd_kafka_err2name(code))): \(text)")
        }
    }

    private static func list(_ offsets: [TopicPartition: Int64]) -> UnsafeMutablePointer<rd_kafka_topic_partition_list_t> {
        // librdkafka answers no list only where memory ends, and then aborts by itself.
        let list = rd_kafka_topic_partition_list_new(Int32(offsets.count))!
        for (place, offset) in offsets {
            rd_kafka_topic_partition_list_add(list, place.topic, Int32(place.partition))?.pointee.offset = offset
        }
        return list
    }

    private static func places(_ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> [TopicPartition] {
        UnsafeBufferPointer(start: list.pointee.elems, count: Int(list.pointee.cnt)).map {
            TopicPartition(String(cString: $0.topic), Int($0.partition))
        }
    }
}

extension ConsumedRecord {
    fileprivate init(_ message: UnsafePointer<rd_kafka_message_t>, _ place: TopicPartition) {
        let fields = message.pointee
        self.init(
            place: place, offset: fields.offset, timestamp: rd_kafka_message_timestamp(message, nil),
            key: fields.key.map { Array(UnsafeRawBufferPointer(start: $0, count: fields.key_len)) },
            value: fields.payload.map { Array(UnsafeRawBufferPointer(start: $0, count: fields.len)) })
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
