public import KithCore

/// The topics of the contract; Documentation/events.md has them all.
public enum EventTopic: String, Sendable, CaseIterable {
    case changes
    case state
    case transactions = "tx"
    case catalogue = "catalog"
    case audit
    case governance
    case lineage

    /// Whether each collection has one of its own, with a partition a shard; the others are one for all, with one partition.
    public var isByCollection: Bool { self == .changes || self == .state }

    /// Whether Kafka keeps only the last record of each key.
    public var isCompacted: Bool { self == .state || self == .catalogue || self == .governance }

    /// - Parameter prefix: of all topics of the cluster.
    public func name(prefix: String, collection: String) -> String {
        isByCollection ? "\(prefix).\(rawValue).v1.\(collection)" : "\(prefix).\(rawValue).v1"
    }

    /// Partitions it is made with.
    public func partitionCount(_ definition: CollectionDefinition) -> Int { isByCollection ? definition.shardCount : 1 }

    /// Where a shard's records go.
    public func partition(of shard: ShardID) -> Int { isByCollection ? Int(shard.shard) : 0 }
}
