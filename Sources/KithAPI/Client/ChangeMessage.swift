public import KithCore

/// A `kith.v1.SubscribeResponse`.
public struct ChangeMessage: Decodable, Sendable {
    public struct Heartbeat: Decodable, Sendable {
        var positions: [WirePosition]?
        public var shardPositions: [ShardPosition] { (positions ?? []).map(\.value) }
    }

    struct WirePosition: Decodable, Sendable {
        var shard: UInt16?
        var position: String?
        var value: ShardPosition { ShardPosition(shard: shard ?? 0, position: position.flatMap(UInt64.init) ?? 0) }
    }

    public var events: [ChangeEventMessage]?
    public var heartbeat: Heartbeat?
}

/// A `kith.v1.ChangeEvent`.
public struct ChangeEventMessage: Decodable, Sendable {
    public struct Image: Decodable, Sendable {
        var id: WireID
        /// A JSON object; nil where the point has none.
        public var payloadJson: String?

        public var pointID: PointID? { id.id }
    }

    public struct Source: Decodable, Sendable {
        var position: String
        public var shard: UInt16?
        /// Place among the commit's events, from 0.
        public var index: UInt32?
        public var count: UInt32?

        public var logPosition: LogPosition { UInt64(position) ?? 0 }
        /// Whether this is the last event of its commit.
        public var isLast: Bool { (index ?? 0) + 1 >= (count ?? 1) }
    }

    public var id: String
    /// Such as `CHANGE_OPERATION_UPDATE`.
    public var op: String
    public var before: Image?
    public var after: Image?
    public var changedFields: [String]?
    public var source: Source

    /// Such as `UPDATE`.
    public var operation: String { String(op.split(separator: "_").last ?? "") }
}
