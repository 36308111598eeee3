internal import CRdKafka
public import KithCore

/// What librdkafka or a broker answered, by its documented name.
public struct KafkaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// librdkafka's name without its prefix, such as `MSG_SIZE_TOO_LARGE` or `_TRANSPORT`; local errors begin with `_`.
    public var name: String
    /// For people: the words of the broker, or else librdkafka's.
    public var message: String

    init(_ code: rd_kafka_resp_err_t, _ message: String? = nil) {
        name = String(cString: rd_kafka_err2name(code))
        self.message = message ?? String(cString: rd_kafka_err2str(code))
    }

    public var description: String { "\(name): \(message)" }

    /// Whether the message was given up because its producer was, for no fault of its own.
    public var isProducerGone: Bool { ["_PURGE_QUEUE", "_PURGE_INFLIGHT", "_FATAL", "_DESTROY"].contains(name) }

    /// The error a client sees; `action` says what was tried.
    public func asKithError(_ action: String) -> KithError {
        let metadata = ["kafka_error": name]
        switch name {
        case "MSG_SIZE_TOO_LARGE":
            return KithError(.resourceExhausted, .messageTooLarge, "\(action): \(message)", metadata: metadata)
        case "_INVALID_ARG", "TOPIC_EXCEPTION", "INVALID_REPLICATION_FACTOR", "INVALID_PARTITIONS",
            "TOPIC_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED", "POLICY_VIOLATION":
            return KithError(.failedPrecondition, .brokerFailure, "\(action): \(message)", metadata: metadata)
        default:
            return KithError(.unavailable, .brokerFailure, "\(action): \(message)", metadata: metadata)
        }
    }
}
