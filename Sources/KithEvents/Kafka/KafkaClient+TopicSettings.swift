internal import CRdKafka
import KithCore
import KithTelemetry

private let log = Log("kafka")

extension KafkaClient {
    /// Compares an existing topic's `cleanup.policy`. Where brokers do not tell it (no right to ask), the topic counts as right.
    ///
    /// - Throws: `INVALID_CONFIGURATION` where it is another.
    func verifyCleanup(of topic: TopicSpecification) throws(KithError) {
        guard let found = setting("cleanup.policy", ofTopic: topic.name) else { return }
        guard found != topic.cleanup.rawValue else { return }
        throw KithError(
            .failedPrecondition, .invalidConfiguration,
            "topic \(topic.name) has cleanup.policy '\(found)', it must be '\(topic.cleanup.rawValue)'; "
                + "Kith does not alter a topic that exists",
            metadata: ["topic": topic.name, "setting": "cleanup.policy", "value": found, "needed": topic.cleanup.rawValue])
    }

    /// Says where an existing topic keeps its records for less time than it should: that they go early is no reason to publish none.
    func checkRetention(of topic: TopicSpecification) {
        guard let wanted = topic.retention?.milliseconds, let text = setting("retention.ms", ofTopic: topic.name),
            let found = Int(text), (0..<wanted).contains(found)
        else { return }
        log.warning(
            "a topic keeps records for less time than is set; Kith does not alter a topic that exists",
            ["topic": topic.name, "retention.ms": text, "needed": "\(wanted)"])
    }

    /// The number of a broker that answers; nil where none does.
    private func anyBroker() -> Int32? {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        guard
            rd_kafka_metadata(handle, 0, nil, &metadata, Int32(Limits.kafkaRequestMilliseconds))
                == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata
        else { return nil }
        defer { rd_kafka_metadata_destroy(metadata) }
        return metadata.pointee.orig_broker_id < 0 ? nil : metadata.pointee.orig_broker_id
    }

    /// One setting of a topic; nil where brokers do not say.
    private func setting(_ name: String, ofTopic topic: String) -> String? {
        guard let resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic) else { return nil }
        defer { rd_kafka_ConfigResource_destroy(resource) }
        let queue = rd_kafka_queue_new(handle)
        defer { rd_kafka_queue_destroy(queue) }
        let options = rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS)
        defer { rd_kafka_AdminOptions_destroy(options) }
        let timeout = Int32(Limits.kafkaRequestMilliseconds)
        rd_kafka_AdminOptions_set_request_timeout(options, timeout, nil, 0)
        // Any broker knows: the controller, which would be asked else, need not be connected.
        if let broker = anyBroker() { rd_kafka_AdminOptions_set_broker(options, broker, nil, 0) }
        var resources: [OpaquePointer?] = [resource]
        rd_kafka_DescribeConfigs(handle, &resources, 1, options, queue)
        guard let event = rd_kafka_queue_poll(queue, 2 * timeout) else { return nil }
        defer { rd_kafka_event_destroy(event) }
        var count = 0
        guard rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR,
            let found = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count),
            count == 1, rd_kafka_ConfigResource_error(found[0]) == RD_KAFKA_RESP_ERR_NO_ERROR
        else {
            log.info("brokers do not tell a topic's settings: they are not verified", ["topic": topic])
            return nil
        }
        var entries = 0
        guard let list = rd_kafka_ConfigResource_configs(found[0], &entries) else { return nil }
        let entry = UnsafeBufferPointer(start: list, count: entries).first {
            rd_kafka_ConfigEntry_name($0).map { String(cString: $0) } == name
        }
        guard let entry, let value = rd_kafka_ConfigEntry_value(entry) else { return nil }
        return String(cString: value)
    }
}
