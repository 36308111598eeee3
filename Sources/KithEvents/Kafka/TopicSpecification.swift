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
    /// Further settings of a topic that is created, such as `segment.bytes`; those of an existing topic are its owner's business.
    public var furtherSettings: [String: String]

    /// - Parameters:
    ///   - name: with the prefix of all topics.
    ///   - partitions: at least.
    public init(
        name: String, partitions: Int, replicationFactor: Int? = nil, cleanup: Cleanup = .delete,
        furtherSettings: [String: String] = [:]
    ) {
        self.name = name
        self.partitions = partitions
        self.replicationFactor = replicationFactor
        self.cleanup = cleanup
        self.furtherSettings = furtherSettings
    }

    var settings: [String: String] { furtherSettings.merging(["cleanup.policy": cleanup.rawValue]) { $1 } }
}
