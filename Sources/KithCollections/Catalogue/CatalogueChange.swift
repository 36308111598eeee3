public import KithCore

/// One change of the catalogue, as it is told.
public struct CatalogueChange: Sendable {
    /// A resource as it stood.
    public enum Image: Sendable {
        case collection(CollectionDefinition)
        case vectorSpace(VectorSpace)
        case index(IndexDefinition)
        case alias(String, collection: CollectionDefinition)
    }

    /// Nil for a creation.
    public var before: Image?
    /// Nil for a deletion.
    public var after: Image?
    /// The collection that it is about, as it is after the change, or was last.
    public var collection: CollectionDefinition
    /// The space that it is about; empty for collections and aliases.
    public var space = ""

    public var operation: ChangeOperation { before == nil ? .create : after == nil ? .delete : .update }

    /// What comes with a collection, from the outside in.
    static func creation(of definition: CollectionDefinition) -> [CatalogueChange] {
        [CatalogueChange(before: nil, after: .collection(definition), collection: definition)]
            + parts(of: definition).map { CatalogueChange(before: nil, after: $1, collection: definition, space: $0) }
    }

    /// The collection, and those of its indexes that are others now.
    static func update(of old: CollectionDefinition, to new: CollectionDefinition) -> [CatalogueChange] {
        [CatalogueChange(before: .collection(old), after: .collection(new), collection: new)]
            + zip(old.spaces, new.spaces).filter { $0.index != $1.index }.map { before, after in
                CatalogueChange(
                    before: .index(before.index), after: .index(after.index), collection: new, space: after.name)
            }
    }

    /// What goes with a collection, from the inside out.
    static func deletion(of definition: CollectionDefinition, aliases: [String]) -> [CatalogueChange] {
        aliases.map { CatalogueChange(before: .alias($0, collection: definition), after: nil, collection: definition) }
            + parts(of: definition).reversed().map {
                CatalogueChange(before: $1, after: nil, collection: definition, space: $0)
            } + [CatalogueChange(before: .collection(definition), after: nil, collection: definition)]
    }

    private static func parts(of definition: CollectionDefinition) -> [(space: String, Image)] {
        definition.spaces.flatMap { [($0.name, .vectorSpace($0)), ($0.name, .index($0.index))] }
    }
}

/// Makes facts of changes, in the form of the public contract.
public protocol CatalogueDescriber: Sendable {
    func fact(_ change: CatalogueChange) throws(KithError) -> Fact
    /// What the lineage topic is told of a change; nil for nothing.
    ///
    /// - Parameter time: of the change, in microseconds since 1970.
    func lineage(_ change: CatalogueChange, at time: Int64) throws(KithError) -> Fact?
}
