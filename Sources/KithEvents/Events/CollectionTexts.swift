internal import CGRPCShim
import KithCore

/// The texts that every event of a collection shares, made once a definition.
final class CollectionTexts: Sendable {
    let cluster: OwnedBytes
    let collection: OwnedBytes
    /// `//kith/<cluster>/<collection>`.
    let source: OwnedBytes
    /// By place of the space.
    let spaces: [OwnedBytes]
    /// The models of the spaces, as every event's source has them.
    let models: OwnedBytes
    /// What stands before values in the topics of changes and state; nil where there is no registry.
    let changeFrame: OwnedBytes?
    let stateFrame: OwnedBytes?
    /// The same names, for the names of changed fields.
    let spaceNames: [String]
    private let id: UInt32
    private let revision: UInt64
    private let name: String

    /// - Throws: where memory ends.
    init(cluster: String, definition: CollectionDefinition) throws(KithError) {
        self.cluster = OwnedBytes(Array(cluster.utf8))
        collection = OwnedBytes(Array(definition.name.utf8))
        source = OwnedBytes(Array("//kith/\(cluster)/\(definition.name)".utf8))
        spaceNames = definition.spaces.map(\.name)
        spaces = spaceNames.map { OwnedBytes(Array($0.utf8)) }
        func frame(_ id: UInt32, _ message: String) -> OwnedBytes? {
            let bytes = RegistryFrame.bytes(schemaID: id, message: message, encoding: definition.eventEncoding)
            return bytes.isEmpty ? nil : OwnedBytes(bytes)
        }
        changeFrame = frame(definition.events.changeSchemaID, "kith.v1.ChangeEvent")
        stateFrame = frame(definition.events.stateSchemaID, "kith.v1.PointImage")
        models = try CollectionTexts.models(of: definition)
        id = definition.id
        revision = definition.revision
        name = definition.name
    }

    private static func models(of definition: CollectionDefinition) throws(KithError) -> OwnedBytes {
        var texts: [OwnedBytes] = []
        func view(_ text: String) -> KithBytes {
            let bytes = OwnedBytes(Array(text.utf8))
            texts.append(bytes)
            return KithBytes(bytes.view)
        }
        let views = definition.spaces.compactMap { space in
            space.model.map { KithSpaceModelView(space: view(space.name), id: view($0.id), revision: view($0.revision)) }
        }
        let buffer = try EventBuffer(owning: withExtendedLifetime(texts) { kith_encode_space_models(views, views.count) })
        return OwnedBytes(buffer.bytes.bytes)
    }

    func isOf(_ definition: CollectionDefinition) -> Bool {
        id == definition.id && revision == definition.revision && name == definition.name
    }
}
