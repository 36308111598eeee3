internal import CRdKafka
import KithCore

extension KafkaClient {
    /// Makes sure that `topic` exists with at least `partitions` partitions. An existing topic is never altered: more partitions would
    /// move no event, but a consumer could no longer tell a shard by its partition.
    ///
    /// - Throws: `INVALID_CONFIGURATION` where it has too few; `BROKER_FAILURE`.
    func prepareTopic(_ topic: String, partitions: Int, replicationFactor: Int?) throws(KithError) {
        let existing: Int
        do throws(KafkaError) { existing = try partitionCount(of: topic, among: .all) } catch {
            guard error.name == "UNKNOWN_TOPIC_OR_PART" else { throw error.asKithError("cannot ask for topic \(topic)") }
            guard let refusal = try createTopic(topic, partitions: partitions, replicationFactor: replicationFactor) else {
                return
            }
            existing = try countMadeOtherwise(topic, refusal)
        }
        guard existing >= partitions else {
            throw KithError(
                .failedPrecondition, .invalidConfiguration,
                "topic \(topic) has \(existing) partitions, the collection has \(partitions) shards; Kith does not alter a topic that exists",
                metadata: ["topic": topic, "partitions": "\(existing)", "shards": "\(partitions)"])
        }
    }

    /// What is asked for: a broker may make a topic that is asked for by name.
    enum Among {
        case all
        case named
    }

    /// Partitions of a topic, as the brokers tell.
    ///
    /// - Throws: `UNKNOWN_TOPIC_OR_PART`.
    func partitionCount(of topic: String, among: Among) throws(KafkaError) -> Int {
        guard let handle = rd_kafka_topic_new(self.handle, topic, nil) else { throw KafkaError(rd_kafka_last_error()) }
        defer { rd_kafka_topic_destroy(handle) }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(
            self.handle, among == .all ? 1 : 0, among == .all ? nil : handle, &metadata, Int32(Limits.kafkaRequestMilliseconds))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { throw KafkaError(code) }
        defer { rd_kafka_metadata_destroy(metadata) }
        let answers = UnsafeBufferPointer(start: metadata.pointee.topics, count: Int(metadata.pointee.topic_cnt))
        guard let answer = answers.first(where: { String(cString: $0.topic) == topic }) else {
            throw KafkaError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        }
        guard answer.err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(answer.err) }
        return Int(answer.partition_cnt)
    }

    /// Partitions of a topic that another node has just made, or that the broker makes by itself at first sight.
    private func countMadeOtherwise(_ topic: String, _ refusal: KafkaError) throws(KithError) -> Int {
        do throws(KafkaError) { return try partitionCount(of: topic, among: .named) } catch {
            let cause = refusal.name == "TOPIC_ALREADY_EXISTS" ? error : refusal
            throw cause.asKithError("cannot create topic \(topic)")
        }
    }

    /// Answers why the topic was not created, nil when it was.
    private func createTopic(
        _ topic: String, partitions: Int, replicationFactor: Int?
    ) throws(KithError) -> KafkaError? {
        var text = [CChar](repeating: 0, count: KafkaClient.errorTextBytes)
        let description = rd_kafka_NewTopic_new(topic, Int32(partitions), Int32(replicationFactor ?? -1), &text, text.count)
        guard let description else {
            throw KithError(.invalidArgument, .invalidName, "no topic can be named \(topic): \(KafkaClient.string(text))")
        }
        defer { rd_kafka_NewTopic_destroy(description) }
        let queue = rd_kafka_queue_new(handle)
        defer { rd_kafka_queue_destroy(queue) }
        let options = rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_CREATETOPICS)
        defer { rd_kafka_AdminOptions_destroy(options) }
        let timeout = Int32(Limits.kafkaRequestMilliseconds)
        rd_kafka_AdminOptions_set_request_timeout(options, timeout, nil, 0)
        rd_kafka_AdminOptions_set_operation_timeout(options, timeout, nil, 0)
        var topics: [OpaquePointer?] = [description]
        rd_kafka_CreateTopics(handle, &topics, 1, options, queue)
        guard let event = rd_kafka_queue_poll(queue, 2 * timeout) else { return KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT) }
        defer { rd_kafka_event_destroy(event) }
        let code = rd_kafka_event_error(event)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            return KafkaError(code, rd_kafka_event_error_string(event).map { String(cString: $0) })
        }
        var count = 0
        let result = rd_kafka_event_CreateTopics_result(event)
        guard let results = rd_kafka_CreateTopics_result_topics(result, &count), count == 1, let first = results[0] else {
            return KafkaError(RD_KAFKA_RESP_ERR__BAD_MSG)
        }
        let refusal = rd_kafka_topic_result_error(first)
        guard refusal != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return KafkaError(refusal, rd_kafka_topic_result_error_string(first).map { String(cString: $0) })
    }
}
