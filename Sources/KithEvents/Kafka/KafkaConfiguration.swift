public import KithCore

/// What consumers of a topic can rely on.
public enum DeliveryGuarantee: String, Sendable, CaseIterable {
    /// Nothing is lost; after a crash the last events may come again, under the same ids.
    case atLeastOnce = "at-least-once"
    /// Who reads committed messages only sees each event once: the relay's cursor moves in the transaction of its events.
    case exactlyOnce = "exactly-once"
}

/// Where Kafka is and how to talk to it.
public struct KafkaConfiguration: Sendable, Hashable {
    /// Where nothing else is configured.
    public static let defaultTopicPrefix = "kith"

    /// Properties that Kith sets itself: the promise to lose nothing rests on them.
    public static let reservedProperties: Set<String> = [
        "acks", "auto.offset.reset", "bootstrap.servers", "delivery.report.only.error", "enable.gapless.guarantee",
        "enable.idempotence", "isolation.level", "message.timeout.ms", "metadata.broker.list", "request.required.acks",
        "transactional.id",
    ]

    /// `host:port`, several separated by commas.
    public var brokers: String
    /// What every topic's name begins with.
    public var topicPrefix: String
    /// Copies of each partition of the topics that Kith creates; nil leaves it to the broker.
    public var replicationFactor: Int?
    /// What consumers of the topics can rely on.
    public var delivery: DeliveryGuarantee
    /// Whether commits are told to the audit topic.
    public var auditsCommits = false
    /// For how long the audit topic keeps records, where Kith makes it; nil leaves it to the broker.
    public var auditRetention: Duration?
    /// How values of topics that belong to no collection are written.
    public var nodeEncoding = EventEncoding.protobuf
    /// Further librdkafka properties, such as `security.protocol` or `sasl.username`.
    public var properties: [String: String]

    /// Nothing is checked before `validate`.
    public init(
        brokers: String, topicPrefix: String = KafkaConfiguration.defaultTopicPrefix, replicationFactor: Int? = nil,
        delivery: DeliveryGuarantee = .atLeastOnce, properties: [String: String] = [:]
    ) {
        self.brokers = brokers
        self.topicPrefix = topicPrefix
        self.replicationFactor = replicationFactor
        self.delivery = delivery
        self.properties = properties
    }

    /// The topic of a collection's changes; its partitions are the collection's shards.
    public func changesTopic(collection: String) -> String { "\(topicPrefix).changes.v1.\(collection)" }

    /// What is told of all collections alike.
    var eventOptions: EventOptions {
        var options = EventOptions()
        options.auditsCommits = auditsCommits
        options.encoding = nodeEncoding
        options.maximumBytes = properties["message.max.bytes"].flatMap(Int.init) ?? EventOptions.defaultMaximumBytes
        return options
    }

    /// The internal topic of the relay's cursors.
    var cursorTopic: String { "\(topicPrefix).relay.cursor.v1" }

    /// How long Kafka keeps a transaction open whose producer says nothing.
    var transactionTimeout: Duration {
        .milliseconds(properties["transaction.timeout.ms"].flatMap(Int.init) ?? Limits.transactionTimeoutMilliseconds)
    }

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
