internal import CRdKafka
import KithCore
import KithEvents
import KithTelemetry

/// Makes librdkafka clients, and errors of its codes.
enum ClientHandle {
    private static let errorTextBytes = 512

    /// - Throws: `INVALID_CONFIGURATION`, naming the property.
    static func open(_ properties: [String: String], isConsumer: Bool, events: Int32) throws(KithError) -> OpaquePointer {
        guard let configuration = rd_kafka_conf_new() else {
            throw KithError(.resourceExhausted, .brokerFailure, "no memory for a Kafka client")
        }
        rd_kafka_conf_set_events(configuration, events)
        rd_kafka_conf_set_log_cb(configuration, emitLog)
        var text = [CChar](repeating: 0, count: errorTextBytes)
        for (key, value) in properties.sorted(by: { $0.key < $1.key })
        where rd_kafka_conf_set(configuration, key, value, &text, text.count) != RD_KAFKA_CONF_OK {
            rd_kafka_conf_destroy(configuration)
            throw KithError(
                .invalidArgument, .invalidConfiguration, "Kafka property '\(key)' cannot be '\(value)': \(string(text))",
                metadata: ["key": key])
        }
        guard let handle = rd_kafka_new(isConsumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, configuration, &text, text.count)
        else {
            rd_kafka_conf_destroy(configuration)
            throw KithError(.invalidArgument, .invalidConfiguration, "no Kafka client can be made: \(string(text))")
        }
        return handle
    }

    static func error(_ code: rd_kafka_resp_err_t, _ action: String) -> KithError {
        let name = String(cString: rd_kafka_err2name(code))
        return KithError(
            .unavailable, .brokerFailure, "\(action): \(String(cString: rd_kafka_err2str(code)))", metadata: ["kafka_error": name]
        )
    }

    private static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

private let log = Log("kafka")

/// librdkafka's log lines, called from its threads; levels are syslog's.
private func emitLog(
    _ client: OpaquePointer?, _ level: Int32, _ facility: UnsafePointer<CChar>?, _ text: UnsafePointer<CChar>?
) {
    let message = text.map { String(cString: $0) } ?? ""
    let fields = ["facility": facility.map { String(cString: $0) } ?? ""]
    switch level {
    case ...3: log.error(message, fields)
    case 4: log.warning(message, fields)
    case 5, 6: log.info(message, fields)
    default: log.debug(message, fields)
    }
}
