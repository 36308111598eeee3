import CGRPCShim
import KithCollections
import KithCore

/// What CollectionService does about indexes: makes them anew, and holds the work on them.
struct IndexMaintenanceHandlers {
    let engine: Engine
    private var catalogue: Catalogue { engine.catalogue }

    private struct RebuildRequest: Codable {
        var collection: String
        var vectorSpace: String
    }

    func rebuild(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(RebuildRequest.self, "kith.v1.RebuildIndexRequest", bytes)
        let collection = try catalogue.collection(request.collection)
        let space = try collection.definition.spaceIndex(request.vectorSpace, field: "vector_space")
        collection.rebuildIndex(space: space)
        return try JSONCall.encode(
            IndexMaintenanceMessage(collection.maintenance(space: space)), "kith.v1.IndexMaintenance")
    }

    private struct CollectionRequest: Codable {
        var collection: String
    }

    func pause(_ bytes: KithBytes, _ context: OwnedBytes?) throws(KithError) -> WireBuffer {
        try set(true, JSONCall.decode(CollectionRequest.self, "kith.v1.PauseIndexMaintenanceRequest", bytes), context)
    }

    func resume(_ bytes: KithBytes, _ context: OwnedBytes?) throws(KithError) -> WireBuffer {
        try set(false, JSONCall.decode(CollectionRequest.self, "kith.v1.ResumeIndexMaintenanceRequest", bytes), context)
    }

    private func set(
        _ isPaused: Bool, _ request: CollectionRequest, _ context: OwnedBytes?
    ) throws(KithError) -> WireBuffer {
        let definition = try catalogue.setMaintenancePaused(isPaused, of: request.collection, context: context)
        return try JSONCall.encode(
            CollectionMessage(definition, aliases: catalogue.aliases(of: definition.id)), "kith.v1.Collection")
    }
}
