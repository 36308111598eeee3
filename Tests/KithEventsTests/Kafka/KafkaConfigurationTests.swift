import KithCore
import KithEvents
import Testing

@Suite struct KafkaConfigurationTests {
    @Test(arguments: [
        ("no.such.property", "1"), ("linger.ms", "soon"), ("compression.codec", "brotli"), ("acks", "1"),
        ("enable.idempotence", "false"), ("bootstrap.servers", "elsewhere:9092"), ("message.timeout.ms", "1000"),
        ("max.in.flight", "100"),
    ])
    func aBadPropertyIsNamed(key: String, value: String) throws {
        let configuration = KafkaConfiguration(brokers: "127.0.0.1:1", properties: [key: value])
        let error = #expect(throws: KithError.self) {
            try KafkaProducer(configuration: configuration) { _ in }
        }
        #expect(error?.reason == .invalidConfiguration)
        #expect(error?.metadata["key"] == key)
    }

    @Test(arguments: ["", "with space", "ä", String(repeating: "p", count: Limits.topicPrefixBytes + 1)])
    func aBadPrefixIsRefused(prefix: String) {
        let error = #expect(throws: KithError.self) {
            try KafkaConfiguration(brokers: "127.0.0.1:1", topicPrefix: prefix).validate()
        }
        #expect(error?.metadata["key"] == "topic_prefix")
    }

    @Test func noBrokersAreRefused() {
        let error = #expect(throws: KithError.self) { try KafkaConfiguration(brokers: "").validate() }
        #expect(error?.metadata["key"] == "brokers")
    }

    @Test func topicsAreNamedByPrefixAndCollection() {
        #expect(KafkaConfiguration(brokers: "b").changesTopic(collection: "words") == "kith.changes.v1.words")
        #expect(KafkaConfiguration(brokers: "b", topicPrefix: "eu").changesTopic(collection: "w") == "eu.changes.v1.w")
    }
}
