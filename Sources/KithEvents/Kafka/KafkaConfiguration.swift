public import KithCore

/// Where Kafka is and how to talk to it.
public struct KafkaConfiguration: Sendable, Hashable {
    public static let defaultTopicPrefix = "kith"

    /// Properties that Kith sets itself: the promise to lose nothing rests on them.
    public static let reservedProperties: Set<String> = [
        "acks", "bootstrap.servers", "enable.gapless.guarantee", "enable.idempotence", "message.timeout.ms",
        "metadata.broker.list", "request.required.acks", "transactional.id",
    ]

    /// `host:port`, several separated by commas.
    public var brokers: String
    /// What every topic's name begins with.
    public var topicPrefix: String
    /// Copies of each partition of the topics that Kith creates; nil leaves it to the broker.
    public var replicationFactor: Int?
    /// Further librdkafka properties, such as `security.protocol` or `sasl.username`.
    public var properties: [String: String]

    public init(
        brokers: String, topicPrefix: String = KafkaConfiguration.defaultTopicPrefix, replicationFactor: Int? = nil,
        properties: [String: String] = [:]
    ) {
        self.brokers = brokers
        self.topicPrefix = topicPrefix
        self.replicationFactor = replicationFactor
        self.properties = properties
    }

    /// The topic of a collection's changes; its partitions are the collection's shards.
    public func changesTopic(collection: String) -> String { "\(topicPrefix).changes.v1.\(collection)" }

    /// - Throws: `INVALID_CONFIGURATION`, naming the key.
    public func validate() throws(KithError) {
        guard !brokers.isEmpty else { throw KafkaConfiguration.invalid("brokers", "is empty") }
        let isPlain = topicPrefix.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isPlain, (1...Limits.topicPrefixBytes).contains(topicPrefix.utf8.count) else {
            throw KafkaConfiguration.invalid(
                "topic_prefix", "'\(topicPrefix)' is not 1 to \(Limits.topicPrefixBytes) of a-z A-Z 0-9 . _ -")
        }
        if let copies = replicationFactor, !(1...Int(Int16.max)).contains(copies) {
            throw KafkaConfiguration.invalid("replication_factor", "is \(copies)")
        }
        if let key = properties.keys.sorted().first(where: KafkaConfiguration.reservedProperties.contains) {
            throw KafkaConfiguration.invalid(key, "is set by Kith and cannot be changed")
        }
    }

    static func invalid(_ key: String, _ description: String) -> KithError {
        KithError(
            .invalidArgument, .invalidConfiguration, "Kafka property '\(key)' \(description)", metadata: ["key": key])
    }
}
