/// A topic as Kith needs it.
public struct TopicSpecification: Sendable, Hashable {
    /// What becomes of old messages (`cleanup.policy`).
    public enum Cleanup: String, Sendable {
        /// All go in time.
        case delete
        /// The last message of each key stays.
        case compact
    }

    /// With the prefix of all topics.
    public var name: String
    /// An existing topic may have more.
    public var partitions: Int
    /// Copies of each partition where the topic is created; nil leaves it to the broker.
    public var replicationFactor: Int?
    /// An existing topic must have the same.
    public var cleanup: Cleanup
    /// For how long records are kept at least; nil leaves it to the broker, and an existing topic may have less.
    public var retention: Duration?
    /// Further settings of a topic that is created, such as `segment.bytes`; those of an existing topic are its owner's business.
    public var furtherSettings: [String: String]

    /// - Parameters:
    ///   - name: with the prefix of all topics.
    ///   - partitions: at least.
    public init(
        name: String, partitions: Int, replicationFactor: Int? = nil, cleanup: Cleanup = .delete,
        retention: Duration? = nil, furtherSettings: [String: String] = [:]
    ) {
        self.name = name
        self.partitions = partitions
        self.replicationFactor = replicationFactor
        self.cleanup = cleanup
        self.retention = retention
        self.furtherSettings = furtherSettings
    }

    var settings: [String: String] {
        var settings = furtherSettings
        settings["cleanup.policy"] = cleanup.rawValue
        if let retention { settings["retention.ms"] = "\(retention.milliseconds)" }
        return settings
    }
}
