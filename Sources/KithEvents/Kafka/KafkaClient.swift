internal import CRdKafka
import KithCore
import KithTelemetry

/// One librdkafka instance: a producer or a consumer, with its connections and threads.
final class KafkaClient: @unchecked Sendable {
    enum Role {
        case producer
        case consumer
    }

    // Safe to share: librdkafka's functions may be called from any thread.
    let handle: OpaquePointer

    /// - Parameters:
    ///   - settings: properties of this role; the configuration's own win where both name one.
    ///   - events: librdkafka's event types to be queued, rather than called back.
    /// - Throws: `INVALID_CONFIGURATION`, naming the property.
    init(
        _ role: Role, _ configuration: KafkaConfiguration, settings: [String: String], events: Int32 = 0
    ) throws(KithError) {
        try configuration.validate()
        guard let properties = rd_kafka_conf_new() else {
            throw KithError(.resourceExhausted, .brokerFailure, "no memory for a Kafka client")
        }
        rd_kafka_conf_set_events(properties, events)
        rd_kafka_conf_set_log_cb(properties, emitLog)
        var all = ["bootstrap.servers": configuration.brokers, "client.id": "kith"]
        all.merge(settings) { $1 }
        all.merge(configuration.properties) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            do throws(KithError) { try KafkaClient.set(key, value, on: properties) } catch {
                rd_kafka_conf_destroy(properties)
                throw error
            }
        }
        var text = [CChar](repeating: 0, count: KafkaClient.errorTextBytes)
        let type = role == .producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER
        guard let handle = rd_kafka_new(type, properties, &text, text.count) else {
            rd_kafka_conf_destroy(properties)
            let message = KafkaClient.string(text)
            throw KafkaConfiguration.invalid(KafkaClient.quotedKey(message) ?? "?", "does not fit: \(message)")
        }
        self.handle = handle
    }

    deinit { rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE) }

    /// The error that ended this instance for good, if one did.
    var fatalError: KafkaError? {
        var text = [CChar](repeating: 0, count: KafkaClient.errorTextBytes)
        let code = rd_kafka_fatal_error(handle, &text, text.count)
        return code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(code, KafkaClient.string(text))
    }

    static let errorTextBytes = 512

    static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func set(_ key: String, _ value: String, on properties: OpaquePointer) throws(KithError) {
        var text = [CChar](repeating: 0, count: errorTextBytes)
        switch rd_kafka_conf_set(properties, key, value, &text, text.count) {
        case RD_KAFKA_CONF_OK: return
        case RD_KAFKA_CONF_UNKNOWN: throw KafkaConfiguration.invalid(key, "is not known to librdkafka")
        default: throw KafkaConfiguration.invalid(key, "cannot be '\(value)': \(string(text))")
        }
    }

    /// librdkafka names a property that contradicts another in back quotes.
    private static func quotedKey(_ message: String) -> String? {
        let parts = message.split(separator: "`", omittingEmptySubsequences: false)
        return parts.count > 2 ? String(parts[1]) : nil
    }
}

private let log = Log("kafka")

/// librdkafka's log lines, called from its threads; levels are syslog's.
private func emitLog(
    _ client: OpaquePointer?, _ level: Int32, _ facility: UnsafePointer<CChar>?, _ text: UnsafePointer<CChar>?
) {
    let message = text.map { String(cString: $0) } ?? ""
    // Said of every producer: the property is called experimental, which is known.
    if message.contains("enable.gapless.guarantee is experimental") { return log.debug(message) }
    let fields = ["facility": facility.map { String(cString: $0) } ?? ""]
    switch level {
    case ...3: log.error(message, fields)
    case 4: log.warning(message, fields)
    case 5, 6: log.info(message, fields)
    default: log.debug(message, fields)
    }
}
