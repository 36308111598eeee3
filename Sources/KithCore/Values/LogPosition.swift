/// A shard, over all collections: ids of collections are never used again.
public struct ShardID: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var collection: UInt32
    public var shard: UInt16

    public init(collection: UInt32, shard: UInt16) {
        self.collection = collection
        self.shard = shard
    }

    /// The node's own log, which is no shard of a collection: their ids begin at 1.
    public static let nodeLog = ShardID(collection: 0, shard: 0)

    public static func < (left: ShardID, right: ShardID) -> Bool {
        (left.collection, left.shard) < (right.collection, right.shard)
    }

    /// `collection.shard`, as it stands in event ids.
    public var description: String { "\(collection).\(shard)" }
}

/// The place of a commit in its shard's log. The first commit of a shard has position 1.
public typealias LogPosition = UInt64

/// A position token: this shard has applied at least this commit.
public struct ShardPosition: Hashable, Sendable, Codable {
    public var shard: UInt16
    public var position: LogPosition

    public init(shard: UInt16, position: LogPosition) {
        self.shard = shard
        self.position = position
    }
}
