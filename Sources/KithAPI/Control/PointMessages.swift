import KithCollections
import KithCore

/// Control messages of PointService and ChangeService, as JSON.
struct SelectorMessage: Codable {
    var payload: Bool? = nil
    var vectors: Bool? = nil
    var vectorSpaces: [String]? = nil

    func selection(_ definition: CollectionDefinition) throws(KithError) -> PointSelection {
        var selection = PointSelection(payload: payload ?? false)
        guard vectors ?? false else { return selection }
        let names = vectorSpaces ?? []
        guard names.count <= Limits.vectorSpaces else {
            throw .limit(field: "select.vector_spaces", value: names.count, limit: Limits.vectorSpaces, unit: "spaces")
        }
        if names.isEmpty { selection.spaces = Array(definition.spaces.indices) }
        for (index, name) in names.enumerated() {
            selection.spaces.append(try definition.spaceIndex(name, field: "select.vector_spaces[\(index)]"))
        }
        return selection
    }
}

struct PositionMessage: Codable {
    var shard: UInt32
    /// 64-bit numbers are texts in protobuf JSON.
    var position: String

    init(_ position: ShardPosition) {
        shard = UInt32(position.shard)
        self.position = "\(position.position)"
    }

    func position(field: String) throws(KithError) -> ShardPosition {
        guard let shard = UInt16(exactly: shard), Int(shard) < Limits.shards, let position = UInt64(position) else {
            throw .invalid(
                .invalidPosition, field: "\(field).shard", "there is no shard \(shard)", metadata: ["shard": "\(shard)"])
        }
        return ShardPosition(shard: shard, position: position)
    }

    static func positions(_ messages: [PositionMessage], field: String) throws(KithError) -> [ShardPosition] {
        guard messages.count <= Limits.shards else {
            throw .limit(field: field, value: messages.count, limit: Limits.shards, unit: "positions")
        }
        return try messages.enumerated().map { index, position throws(KithError) in
            try position.position(field: "\(field)[\(index)]")
        }
    }
}

struct ScrollRequest: Codable {
    var collection: String
    var pageSize: Int32
    var pageToken: String
    var select: SelectorMessage?
}

struct CountRequest: Codable {
    var collection: String
    var minPositions: [PositionMessage]?
}

struct CountResponse: Codable {
    var count: String
    var exact: Bool
}

struct ExportRequest: Codable {
    var collection: String
    var select: SelectorMessage?
}

struct SubscribeRequest: Codable {
    var collection: String
    var start: EnumText
    var positions: [PositionMessage]?
    var heartbeatMilliseconds: UInt32
    var vectors: Bool
}

struct GetPositionsRequest: Codable {
    var collection: String
}

struct GetEventRequest: Codable {
    var id: String
    var vectors: Bool
}

struct GetPositionsResponse: Codable {
    var earliest: [PositionMessage]
    var latest: [PositionMessage]
    var published: [PositionMessage]
}

struct HealthCheckRequest: Codable {
    var service: String
}

struct HealthCheckResponse: Codable {
    var status: EnumText
}
