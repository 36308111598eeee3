public import KithCore

/// How the relay stands.
public struct RelayStatus: Sendable {
    /// One shard of a collection.
    public struct Shard: Sendable {
        /// Of a collection, or the node's own log.
        public var shard: ShardID
        /// The topic of its changes; empty until the relay has begun with it.
        public var topic: String
        /// Everything up to this commit is in Kafka.
        public var published: LogPosition
        /// The last commit of the shard.
        public var last: LogPosition
        /// What waits, as it was within the last second.
        public var waiting = WaitingCommits()
        /// Why the shard's relay waits to try again; nil while it runs.
        public var failure: KithError?

        /// The points that were there before the state topic was turned on.
        public var stateSnapshot = StateSnapshotProgress.off

        /// Commits that wait.
        public var lag: UInt64 { last > published ? last - published : 0 }
    }

    /// As configured.
    public var brokers: String
    /// What consumers can rely on.
    public var delivery: DeliveryGuarantee
    /// The last trouble with the brokers since an event was acknowledged; nil when there was none.
    public var trouble: String?
    /// Acknowledged in the last ten seconds.
    public var eventsPerSecond: Double
    /// Since the process began.
    public var publishedEvents: UInt64
    /// Keys and values of those events, before compression.
    public var publishedBytes: UInt64
    /// Failures to publish, each of which is in the log.
    public var errors: UInt64
    /// In order of their ids.
    public var shards: [Shard]
}
