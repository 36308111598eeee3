import KithCore

/// The texts that every event of a collection shares, made once a definition.
final class CollectionTexts: Sendable {
    let cluster: OwnedBytes
    let collection: OwnedBytes
    /// `//kith/<cluster>/<collection>`.
    let source: OwnedBytes
    /// By place of the space.
    let spaces: [OwnedBytes]
    /// The same names, for the names of changed fields.
    let spaceNames: [String]
    private let id: UInt32
    private let revision: UInt64
    private let name: String

    init(cluster: String, definition: CollectionDefinition) {
        self.cluster = OwnedBytes(Array(cluster.utf8))
        collection = OwnedBytes(Array(definition.name.utf8))
        source = OwnedBytes(Array("//kith/\(cluster)/\(definition.name)".utf8))
        spaceNames = definition.spaces.map(\.name)
        spaces = spaceNames.map { OwnedBytes(Array($0.utf8)) }
        id = definition.id
        revision = definition.revision
        name = definition.name
    }

    func isOf(_ definition: CollectionDefinition) -> Bool {
        id == definition.id && revision == definition.revision && name == definition.name
    }
}
