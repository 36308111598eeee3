import Foundation
import KithCollections
import KithCore

/// A collection as protobuf JSON. Unset messages are absent; scalars are always there.
struct CollectionMessage: Codable {
    var name = ""
    var id: UInt32 = 0
    var vectorSpaces: [VectorSpaceMessage] = []
    var shardCount: UInt32 = 0
    var durability = EnumText("DURABILITY_UNSPECIFIED")
    var description = ""
    var labels: [String: String] = [:]
    var tail: TailMessage? = nil
    var changeEvents: ChangeEventsMessage? = nil
    var etag = ""
    var createdAt: String? = nil
    var updatedAt: String? = nil
    var aliases: [String] = []
    /// Protobuf JSON has 64-bit numbers as text.
    var memoryBudgetBytes = "0"
    var indexMaintenancePaused = false

    init(_ definition: CollectionDefinition, aliases: [String]) {
        name = definition.name
        id = definition.id
        vectorSpaces = definition.spaces.map(VectorSpaceMessage.init)
        shardCount = UInt32(definition.shardCount)
        durability = EnumText(WireEnums.name(definition.durability, WireEnums.durability))
        description = definition.description
        labels = definition.labels
        tail = TailMessage(
            policy: EnumText(WireEnums.name(definition.tailPolicy, WireEnums.tailPolicy)), maxVectors: definition.tailVectors)
        changeEvents = ChangeEventsMessage(definition)
        etag = definition.etag
        createdAt = CollectionMessage.timestamp(definition.createdAt)
        updatedAt = CollectionMessage.timestamp(definition.updatedAt)
        self.aliases = aliases
        memoryBudgetBytes = "\(definition.memoryBudgetBytes)"
        indexMaintenancePaused = definition.isMaintenancePaused
    }

    /// A new definition; what only the server sets must be unset.
    func definition() throws(KithError) -> CollectionDefinition {
        let isSet = [
            ("id", id != 0), ("etag", !etag.isEmpty), ("created_at", createdAt != nil), ("updated_at", updatedAt != nil),
            ("aliases", !aliases.isEmpty), ("index_maintenance_paused", indexMaintenancePaused),
        ]
        for (field, isSet) in isSet where isSet {
            throw .invalid(.immutableField, field: "collection.\(field)", "is set by the server")
        }
        var spaces: [VectorSpace] = []
        for (index, space) in vectorSpaces.enumerated() {
            do throws(KithError) { spaces.append(try space.space()) } catch {
                throw error.inside("collection.vector_spaces[\(index)]")
            }
        }
        guard shardCount <= UInt32(Limits.shards) else {
            throw .limit(field: "collection.shard_count", value: Int(shardCount), limit: Limits.shards, unit: "shards")
        }
        var definition = CollectionDefinition(name: name, spaces: spaces, shardCount: max(Int(shardCount), 1))
        for field in ["description", "labels", "durability", "tail", "change_events", "memory_budget_bytes"] {
            _ = try apply(field, to: &definition)
        }
        return definition
    }

    /// Takes one changeable field over; false when there is none of this name.
    func apply(_ field: String, to definition: inout CollectionDefinition) throws(KithError) -> Bool {
        switch field {
        case "description": definition.description = description
        case "labels": definition.labels = labels
        case "durability":
            definition.durability = try durability.value(WireEnums.durability, field: "collection.durability")
        case "tail":
            definition.tailPolicy =
                try tail?.policy.value(WireEnums.tailPolicy, field: "collection.tail.policy") ?? .slowWriters
            let wanted = tail?.maxVectors ?? 0
            definition.tailVectors = wanted == 0 ? CollectionDefinition.defaultTailVectors : wanted
        case "change_events", "changeEvents":
            try (changeEvents ?? ChangeEventsMessage()).apply(to: &definition)
        case "memory_budget_bytes", "memoryBudgetBytes":
            guard let bytes = Int(memoryBudgetBytes), bytes <= Limits.memoryBudgetBytes else {
                throw .invalid(
                    .limitExceeded, field: "collection.memory_budget_bytes",
                    "is \(memoryBudgetBytes), more than \(Limits.memoryBudgetBytes) bytes",
                    metadata: ["value": memoryBudgetBytes, "limit": "\(Limits.memoryBudgetBytes)"])
            }
            definition.memoryBudgetBytes = bytes
        case "vector_spaces", "vectorSpaces":
            for (index, space) in vectorSpaces.enumerated() {
                do throws(KithError) {
                    let place = try definition.spaceIndex(space.name, field: "name")
                    definition.spaces[place] = try space.reindexed(definition.spaces[place])
                } catch { throw error.inside("collection.vector_spaces[\(index)]") }
            }
        default: return false
        }
        return true
    }

    static func timestamp(_ microseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(microseconds) / 1e6)
            .ISO8601Format(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}

struct VectorSpaceMessage: Codable {
    var name: String
    var dimension: UInt32
    var elementType: EnumText
    var metric: EnumText
    var index: IndexMessage?
    var model: ModelMessage?

    init(_ space: VectorSpace) {
        name = space.name
        dimension = UInt32(space.dimension)
        elementType = EnumText(WireEnums.name(space.element, WireEnums.elementType))
        metric = EnumText(WireEnums.name(space.metric, WireEnums.metric))
        index = IndexMessage(kind: space.index.kind, parameters: space.index.parameters)
        model = space.model.map { ModelMessage(id: $0.id, revision: $0.revision) }
    }

    func space() throws(KithError) -> VectorSpace {
        let element = try elementType.value(WireEnums.elementType, field: "element_type")
        let metric = try metric.value(WireEnums.metric, field: "metric") ?? (element == .binary ? .hamming : .cosine)
        let kind = index.flatMap { $0.kind.isEmpty ? nil : $0.kind } ?? IndexDefinition.defaultKind
        return VectorSpace(
            name: name, dimension: Int(dimension), element: element, metric: metric,
            index: IndexDefinition(kind: kind, parameters: index?.parameters ?? [:]),
            model: model.map { ModelReference(id: $0.id, revision: $0.revision) })
    }
}

extension VectorSpaceMessage {
    /// The space with the index that is asked for; whatever else is said must be as it is.
    func reindexed(_ space: VectorSpace) throws(KithError) -> VectorSpace {
        guard let index, !index.kind.isEmpty else {
            throw .invalid(.requiredFieldMissing, field: "index.kind", "must be given: nothing else of a space can be changed")
        }
        var wanted = space.indexed(by: IndexDefinition(kind: index.kind, parameters: index.parameters))
        if dimension != 0 { wanted.dimension = Int(dimension) }
        if elementType.name != WireEnums.elementType[0].name {
            wanted.element = try elementType.value(WireEnums.elementType, field: "element_type")
        }
        wanted.metric = try metric.value(WireEnums.metric, field: "metric") ?? space.metric
        if let model { wanted.model = ModelReference(id: model.id, revision: model.revision) }
        return wanted
    }
}

struct IndexMessage: Codable {
    var kind: String
    var parameters: [String: String]
}

/// What goes on with an index, as protobuf JSON.
struct IndexMaintenanceMessage: Codable {
    var state: EnumText
    var reason: EnumText
    var rowsDone: String
    var rowsTotal: String
    var startedAt: String?
    var serving: IndexMessage

    init(_ maintenance: IndexMaintenance) {
        state = EnumText("STATE_\("\(maintenance.state)".uppercased())")
        reason = EnumText("REASON_\((maintenance.reason?.rawValue ?? "unspecified").uppercased())")
        rowsDone = "\(maintenance.rowsDone)"
        rowsTotal = "\(maintenance.rowsTotal)"
        startedAt = maintenance.startedAt.map(CollectionMessage.timestamp)
        serving = IndexMessage(kind: maintenance.serving.kind, parameters: maintenance.serving.parameters)
    }
}

struct ModelMessage: Codable {
    var id: String
    var revision: String
}

struct TailMessage: Codable {
    var policy: EnumText
    var maxVectors: UInt32
}

/// Names of enum values, the unspecified one first.
enum WireEnums {
    static let elementType: [(name: String, value: ElementType)] = [
        ("ELEMENT_TYPE_UNSPECIFIED", .float32), ("ELEMENT_TYPE_FLOAT32", .float32), ("ELEMENT_TYPE_FLOAT16", .float16),
        ("ELEMENT_TYPE_BFLOAT16", .bfloat16), ("ELEMENT_TYPE_INT8", .int8), ("ELEMENT_TYPE_UINT8", .uint8),
        ("ELEMENT_TYPE_BINARY", .binary),
    ]
    static let metric: [(name: String, value: Metric?)] = [
        ("METRIC_UNSPECIFIED", nil), ("METRIC_COSINE", .cosine), ("METRIC_DOT", .dot), ("METRIC_L2", .l2),
        ("METRIC_L1", .l1), ("METRIC_HAMMING", .hamming), ("METRIC_JACCARD", .jaccard),
    ]
    static let durability: [(name: String, value: Durability)] = [
        ("DURABILITY_UNSPECIFIED", .durable), ("DURABILITY_ACCEPTED", .accepted), ("DURABILITY_DURABLE", .durable),
        ("DURABILITY_INDEXED", .indexed),
    ]
    static let tailPolicy: [(name: String, value: TailPolicy)] = [
        ("POLICY_UNSPECIFIED", .slowWriters), ("POLICY_SLOW_WRITERS", .slowWriters), ("POLICY_INDEXED_ONLY", .indexedOnly),
    ]
    static let eventVectors: [(name: String, value: EventVectors)] = [
        ("VECTORS_UNSPECIFIED", .digest), ("VECTORS_NONE", .none), ("VECTORS_DIGEST", .digest), ("VECTORS_FULL", .full),
    ]
    static let stateVectors: [(name: String, value: EventVectors)] = [
        ("VECTORS_UNSPECIFIED", .full), ("VECTORS_NONE", .none), ("VECTORS_DIGEST", .digest), ("VECTORS_FULL", .full),
    ]
    static let redactionAction: [(name: String, value: FieldRedaction.Action?)] = [
        ("ACTION_UNSPECIFIED", nil), ("ACTION_DROP", .drop), ("ACTION_HASH", .hash), ("ACTION_MASK", .mask),
    ]
    static let eventEncoding: [(name: String, value: EventEncoding)] = [
        ("ENCODING_UNSPECIFIED", .protobuf), ("ENCODING_PROTOBUF", .protobuf), ("ENCODING_JSON", .json),
    ]
    static let subscribeStart: [(name: String, value: SubscribeStart?)] = [
        ("START_UNSPECIFIED", nil), ("START_NOW", .now), ("START_POSITION", .position), ("START_SNAPSHOT", .snapshot),
    ]

    static func name<Value: Equatable>(_ value: Value, _ values: [(name: String, value: Value)]) -> String {
        // The first entry is "unspecified": never said by the server.
        values.dropFirst().first { $0.value == value }?.name ?? ""
    }

    static func name<Value: Equatable>(_ value: Value, _ values: [(name: String, value: Value?)]) -> String {
        values.first { $0.value == value }?.name ?? ""
    }
}

/// Where a subscription begins.
enum SubscribeStart: Sendable {
    case now, position, snapshot
}
