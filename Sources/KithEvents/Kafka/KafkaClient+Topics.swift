internal import CRdKafka
import KithCore

extension KafkaClient {
    /// Makes sure that a topic exists and is as specified. An existing topic is never altered: more partitions would move no event, but a
    /// consumer could no longer tell a shard by its partition.
    ///
    /// - Throws: `INVALID_CONFIGURATION`, saying what is wrong with it; `BROKER_FAILURE`.
    func prepareTopic(_ topic: TopicSpecification) throws(KithError) {
        if try verify(topic) { return }
        guard let refusal = try createTopic(topic) else { return }
        // Another node may have been quicker.
        if try !verify(topic) { throw refusal.asKithError("cannot create topic \(topic.name)") }
    }

    /// Partitions of a topic, as the brokers tell; nil where there is no such topic.
    ///
    /// Asks for all topics: one that is asked for by name, a broker may make at once, with partitions of its choice.
    func partitionCount(of topic: String) throws(KithError) -> Int? {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(handle, 1, nil, &metadata, Int32(Limits.kafkaRequestMilliseconds))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else {
            throw KafkaError(code).asKithError("cannot ask for topic \(topic)")
        }
        defer { rd_kafka_metadata_destroy(metadata) }
        let answers = UnsafeBufferPointer(start: metadata.pointee.topics, count: Int(metadata.pointee.topic_cnt))
        guard let answer = answers.first(where: { String(cString: $0.topic) == topic }) else { return nil }
        guard answer.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(answer.err).asKithError("cannot use topic \(topic)")
        }
        return Int(answer.partition_cnt)
    }

    /// Whether the topic exists; one that does must be large enough and keep what it should.
    private func verify(_ topic: TopicSpecification) throws(KithError) -> Bool {
        guard let existing = try partitionCount(of: topic.name) else { return false }
        guard existing >= topic.partitions else {
            throw KithError(
                .failedPrecondition, .invalidConfiguration,
                "topic \(topic.name) has \(existing) partitions, the collection has \(topic.partitions) shards; "
                    + "Kith does not alter a topic that exists",
                metadata: ["topic": topic.name, "partitions": "\(existing)", "shards": "\(topic.partitions)"])
        }
        try verifyCleanup(of: topic)
        checkRetention(of: topic)
        return true
    }

    /// Answers why the topic was not created, nil when it was.
    private func createTopic(_ topic: TopicSpecification) throws(KithError) -> KafkaError? {
        var text = [CChar](repeating: 0, count: KafkaClient.errorTextBytes)
        let description = rd_kafka_NewTopic_new(
            topic.name, Int32(topic.partitions), Int32(topic.replicationFactor ?? -1), &text, text.count)
        guard let description else {
            throw KithError(
                .invalidArgument, .invalidName, "no topic can be named \(topic.name): \(KafkaClient.string(text))")
        }
        defer { rd_kafka_NewTopic_destroy(description) }
        for (key, value) in topic.settings.sorted(by: { $0.key < $1.key }) {
            rd_kafka_NewTopic_set_config(description, key, value)
        }
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
