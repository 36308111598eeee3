public import KithCore

/// A `kith.v1.SubscribeResponse`.
public struct ChangeMessage: Decodable, Sendable {
    /// Sent where there is nothing else to send.
    public struct Heartbeat: Decodable, Sendable {
        var positions: [WirePosition]?
        /// Up to here everything has been sent, by shard: where a new subscription may begin.
        public var shardPositions: [ShardPosition] { (positions ?? []).map(\.value) }
    }

    struct WirePosition: Decodable, Sendable {
        var shard: UInt16?
        var position: String?
        var value: ShardPosition { ShardPosition(shard: shard ?? 0, position: position.flatMap(UInt64.init) ?? 0) }
    }

    /// In the order of their shard; nil where there are none.
    public var events: [ChangeEventMessage]?
    /// How far the events sent so far go; nil where the message does not say.
    public var heartbeat: Heartbeat?
}

/// A `kith.v1.ChangeEvent`.
public struct ChangeEventMessage: Decodable, Sendable {
    /// The point before or after.
    public struct Image: Decodable, Sendable {
        var id: WireID
        /// A JSON object; nil where the point has none.
        public var payloadJson: String?

        /// Nil where it is malformed.
        public var pointID: PointID? { id.id }
    }

    /// Where a change comes from. Numbers are nil where they are 0.
    public struct Source: Decodable, Sendable {
        var position: String
        /// Of the collection.
        public var shard: UInt16?
        /// Place among the commit's events, from 0.
        public var index: UInt32?
        /// Events of the commit.
        public var count: UInt32?

        /// The commit; of a READ, the one that the snapshot is as of.
        public var logPosition: LogPosition { UInt64(position) ?? 0 }
        /// Whether this is the last event of its commit.
        public var isLast: Bool { (index ?? 0) + 1 >= (count ?? 1) }
    }

    /// The same for every copy of the event; an `EventID`, unless it is of a snapshot.
    public var id: String
    /// Such as `CHANGE_OPERATION_UPDATE`.
    public var op: String
    /// Nil where the change made the point.
    public var before: Image?
    /// Nil where it deleted the point.
    public var after: Image?
    /// `payload`, `payload.<key>` and `vectors.<space>` that differ; of updates only.
    public var changedFields: [String]?
    /// The commit, and the place in it.
    public var source: Source

    /// Such as `UPDATE`.
    public var operation: String { String(op.split(separator: "_").last ?? "") }
}
