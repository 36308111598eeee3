import CGRPCShim
import KithCollections
import KithCore

/// Facts of catalogue changes: serialised `kith.v1.CatalogueEvent` messages.
struct CatalogueFacts {
    private struct AliasMessage: Encodable {
        var name: String
        var collection: String
        var collectionId: UInt32
    }

    /// A `kith.v1.CatalogueImage`: one of them.
    private struct ImageMessage: Encodable {
        var collection: CollectionMessage?
        var vectorSpace: VectorSpaceMessage?
        var index: IndexMessage?
        var alias: AliasMessage?

        init(_ image: CatalogueChange.Image) {
            switch image {
            case .collection(let definition): collection = CollectionMessage(definition, aliases: [])
            case .vectorSpace(let space): vectorSpace = VectorSpaceMessage(space)
            case .index(let definition):
                index = IndexMessage(kind: definition.kind, parameters: definition.parameters)
            case .alias(let name, let definition):
                alias = AliasMessage(name: name, collection: definition.name, collectionId: definition.id)
            }
        }
    }

    private struct EventMessage: Encodable {
        var op: Int
        var kind: String
        var resource: String
        var before: ImageMessage?
        var after: ImageMessage?
        var changedFields: [String]
        var collectionId: UInt32
        var schemaVersion: String
    }

    func fact(_ change: CatalogueChange) throws(KithError) -> Fact {
        let about = CatalogueFacts.about(change)
        let event = EventMessage(
            op: Int(change.operation.rawValue), kind: "RESOURCE_KIND_\(about.kind)", resource: about.resource,
            before: change.before.map(ImageMessage.init), after: change.after.map(ImageMessage.init),
            changedFields: CatalogueFacts.changedFields(change), collectionId: change.collection.id,
            schemaVersion: "\(change.collection.revision)")
        let body = try JSONCall.encode(event, "kith.v1.CatalogueEvent")
        let type = about.kind.lowercased().filter { $0 != "_" }
        return Fact(
            .catalogue, type: "io.kith.catalogue.\(type).\(CatalogueFacts.past(change.operation)).v1", key: about.resource,
            subject: about.resource, body: withExtendedLifetime(body) { OwnedBytes(body.bytes.view.bytes) })
    }

    private static func about(_ change: CatalogueChange) -> (kind: String, resource: String) {
        let collection = "collections/\(change.collection.name)"
        switch change.after ?? change.before {
        case .vectorSpace: return ("VECTOR_SPACE", "\(collection)/vectorSpaces/\(change.space)")
        case .index: return ("INDEX", "\(collection)/indexes/\(change.space)")
        case .alias(let name, _): return ("ALIAS", "aliases/\(name)")
        case .collection, nil: return ("COLLECTION", collection)
        }
    }

    private static func past(_ operation: ChangeOperation) -> String {
        switch operation {
        case .create: "created"
        case .update: "updated"
        case .delete: "deleted"
        case .read: "read"
        }
    }

    /// Paths as update masks have them.
    private static func changedFields(_ change: CatalogueChange) -> [String] {
        guard let before = change.before, let after = change.after else { return [] }
        if case .index(let old) = before, case .index(let new) = after {
            return [("kind", old.kind != new.kind), ("parameters", old.parameters != new.parameters)].filter(\.1).map(\.0)
        }
        guard case .collection(let old) = before, case .collection(let new) = after else { return ["collection"] }
        let fields = [
            ("description", old.description != new.description), ("labels", old.labels != new.labels),
            ("durability", old.durability != new.durability),
            ("tail", old.tailPolicy != new.tailPolicy || old.tailVectors != new.tailVectors),
            (
                "change_events",
                old.eventVectors != new.eventVectors || old.eventEncoding != new.eventEncoding || old.events != new.events
            ),
            ("memory_budget_bytes", old.memoryBudgetBytes != new.memoryBudgetBytes),
            ("vector_spaces", old.spaces != new.spaces),
            ("index_maintenance_paused", old.isMaintenancePaused != new.isMaintenancePaused),
        ]
        return fields.filter(\.1).map(\.0)
    }
}
