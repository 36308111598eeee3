import CGRPCShim
import KithCollections
import KithCore

/// CollectionService: control calls, each a message in and a message out.
struct CollectionHandlers {
    private static let defaultPageSize = 100

    let engine: Engine
    private var catalogue: Catalogue { engine.catalogue }

    init(engine: Engine) { self.engine = engine }

    private struct CreateRequest: Codable {
        var collection: CollectionMessage?
        var validateOnly: Bool
    }

    func create(_ bytes: KithBytes, _ context: OwnedBytes?) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(CreateRequest.self, "kith.v1.CreateCollectionRequest", bytes)
        guard let wanted = request.collection else {
            throw .invalid(.requiredFieldMissing, field: "collection", "must be given")
        }
        return try answer(try catalogue.create(try wanted.definition(), validateOnly: request.validateOnly, context: context))
    }

    private struct NameRequest: Codable {
        var name: String
        var etag: String?
    }

    func get(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(NameRequest.self, "kith.v1.GetCollectionRequest", bytes)
        return try answer(try catalogue.collection(request.name, field: "name").definition)
    }

    private struct ListRequest: Codable {
        var pageSize: Int32
        var pageToken: String
    }

    private struct ListResponse: Codable {
        var collections: [CollectionMessage]
        var nextPageToken: String
    }

    func list(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(ListRequest.self, "kith.v1.ListCollectionsRequest", bytes)
        let limit = try PageToken.pageSize(request.pageSize, default: CollectionHandlers.defaultPageSize)
        let after = try PageToken.name(request.pageToken) ?? ""
        let rest = catalogue.all.map(\.definition).filter { $0.name > after }
        let page = rest.prefix(limit).map { CollectionMessage($0, aliases: catalogue.aliases(of: $0.id)) }
        let token = rest.count > limit ? page.last.map { PageToken.encode(name: $0.name) } : nil
        return try JSONCall.encode(
            ListResponse(collections: page, nextPageToken: token ?? ""), "kith.v1.ListCollectionsResponse")
    }

    private struct UpdateRequest: Codable {
        var collection: CollectionMessage?
        /// Paths in camel case, joined by commas, as protobuf JSON has field masks.
        var updateMask: String?
        var etag: String
    }

    func update(_ bytes: KithBytes, _ context: OwnedBytes?) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(UpdateRequest.self, "kith.v1.UpdateCollectionRequest", bytes)
        guard let wanted = request.collection else {
            throw .invalid(.requiredFieldMissing, field: "collection", "must be given")
        }
        let paths = (request.updateMask ?? "").split(separator: ",").map(String.init)
        guard !paths.isEmpty else {
            throw .invalid(.requiredFieldMissing, field: "update_mask", "must name at least one field")
        }
        let changed = try catalogue.update(wanted.name, etag: request.etag, context: context) { definition throws(KithError) in
            for path in paths where try !wanted.apply(path, to: &definition) {
                throw .invalid(
                    .immutableField, field: "update_mask",
                    "'\(path)' cannot be changed; description, labels, durability, tail, change_events, memory_budget_bytes "
                        + "and vector_spaces can",
                    metadata: ["path": path])
            }
        }
        return try answer(changed)
    }

    private struct Empty: Codable {}

    func delete(_ bytes: KithBytes, _ context: OwnedBytes?) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(NameRequest.self, "kith.v1.DeleteCollectionRequest", bytes)
        if request.name.isEmpty { throw .invalid(.requiredFieldMissing, field: "name", "must name a collection") }
        try catalogue.delete(request.name, etag: request.etag ?? "", context: context)
        return try JSONCall.encode(Empty(), "kith.v1.DeleteCollectionResponse")
    }

    private struct AliasesRequest: Codable {
        struct Action: Codable {
            struct Assign: Codable {
                var alias: String
                var collection: String
            }
            struct Remove: Codable {
                var alias: String
            }
            var assign: Assign?
            var remove: Remove?
        }
        var actions: [Action]
    }

    func updateAliases(_ bytes: KithBytes, _ context: OwnedBytes?) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(AliasesRequest.self, "kith.v1.UpdateAliasesRequest", bytes)
        guard (1...Limits.aliasActions).contains(request.actions.count) else {
            throw .invalid(
                request.actions.isEmpty ? .requiredFieldMissing : .limitExceeded, field: "actions",
                "has \(request.actions.count) entries, it must have 1 to \(Limits.aliasActions)",
                metadata: ["value": "\(request.actions.count)", "limit": "\(Limits.aliasActions)"])
        }
        var actions: [AliasAction] = []
        for (index, action) in request.actions.enumerated() {
            if let assign = action.assign {
                actions.append(.assign(alias: assign.alias, collection: assign.collection))
            } else if let remove = action.remove {
                actions.append(.remove(alias: remove.alias))
            } else {
                throw .invalid(.requiredFieldMissing, field: "actions[\(index)].action", "must be assign or remove")
            }
        }
        try catalogue.updateAliases(actions, context: context)
        return try JSONCall.encode(Empty(), "kith.v1.UpdateAliasesResponse")
    }

    private func answer(_ definition: CollectionDefinition) throws(KithError) -> WireBuffer {
        try JSONCall.encode(
            CollectionMessage(definition, aliases: catalogue.aliases(of: definition.id)), "kith.v1.Collection")
    }

    // MARK: Figures

    private struct StatsRequest: Codable {
        var collection: String
    }

    private struct StatsMessage: Codable {
        struct Space: Codable {
            var name: String
            var vectors: String
            var deadVectors: String
            var linkedVectors: String
            var tailVectors: String
            var vectorBytes: String
            var memoryBytes: String
            var mappedBytes: String
            var readBytes: String
            var indexMaintenance: IndexMaintenanceMessage
            var measuredRecall: MeasuredRecallMessage?
            var calibrations: [CalibrationMessage]
        }
        struct Shard: Codable {
            var shard: UInt32
            var points: String
            var position: String
            var firstPosition: String
            var changeLogBytes: String
        }
        var collection: String
        var points: String
        var vectorSpaces: [Space]
        var shards: [Shard]
    }

    func stats(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(StatsRequest.self, "kith.v1.GetCollectionStatsRequest", bytes)
        let stats = try catalogue.collection(request.collection).stats
        let message = StatsMessage(
            collection: stats.name, points: "\(stats.points)",
            vectorSpaces: stats.spaces.map {
                StatsMessage.Space(
                    name: $0.name, vectors: "\($0.vectors)", deadVectors: "\($0.deadVectors)",
                    linkedVectors: "\($0.linkedVectors)", tailVectors: "\($0.tailVectors)", vectorBytes: "\($0.vectorBytes)",
                    memoryBytes: "\($0.memoryBytes)", mappedBytes: "\($0.mappedBytes)", readBytes: "\($0.readBytes)",
                    indexMaintenance: IndexMaintenanceMessage($0.maintenance),
                    measuredRecall: $0.measuredRecall.map(MeasuredRecallMessage.init),
                    calibrations: $0.calibrations.map(CalibrationMessage.init))
            },
            shards: stats.shards.map {
                StatsMessage.Shard(
                    shard: UInt32($0.shard), points: "\($0.points)", position: "\($0.position)",
                    firstPosition: "\($0.firstPosition)", changeLogBytes: "\($0.changeLogBytes)")
            })
        return try JSONCall.encode(message, "kith.v1.CollectionStats")
    }
}
