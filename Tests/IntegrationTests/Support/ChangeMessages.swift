/// A point's id as a key.
struct PointKey: Decodable, Hashable {
    var number: String?
    var uuid: String?
    var name: String?

    init(_ number: some BinaryInteger) { self.number = "\(number)" }
}

/// A point as an export has it.
struct ExportedPoint: Decodable {
    struct Vector: Decodable {
        var space: String
        /// In base64.
        var data: String
    }
    var id: PointKey
    var vectors: [Vector]
    var payloadJson: String
    var version: String

    var content: PointContent {
        PointContent(
            payload: payloadJson, vectors: Dictionary(uniqueKeysWithValues: vectors.map { ($0.space, $0.data) }),
            version: UInt64(version) ?? 0)
    }
}

/// All that a point is.
struct PointContent: Equatable {
    var payload: String
    /// In base64, by space.
    var vectors: [String: String]
    var version: UInt64
}

/// A `kith.v1.SubscribeResponse`.
struct SubscribeMessage: Decodable {
    struct Position: Decodable {
        var shard: Int
        var position: String
        var value: UInt64 { UInt64(position) ?? 0 }
    }
    struct Heartbeat: Decodable {
        var positions: [Position]
    }
    struct Source: Decodable {
        var shard: Int
        var position: String
        var index: Int
        var count: Int
        var requestId: String
    }
    struct Event: Decodable {
        var id: String
        var op: String
        var before: ExportedPoint?
        var after: ExportedPoint?
        var source: Source
    }
    var events: [Event]
    var heartbeat: Heartbeat?
}
