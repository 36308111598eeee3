public import KithCore

/// An index whose way of searching can change while it serves.
public protocol TunableIndex: AnyObject, Sendable {
    /// Parameters of a definition that say only how the index is searched, not how it is made.
    var searchParameters: Set<String> { get }

    /// Takes over what these parameters say; one that is not there gets its standard value. Any thread may call it.
    ///
    /// - Throws: `INVALID_INDEX_PARAMETER` for a value out of range.
    func tune(_ parameters: [String: String]) throws(KithError)
}

extension TunableIndex {
    /// Whether tuning cannot make an index of one definition serve as one of the other.
    public func differ(_ one: IndexDefinition, _ other: IndexDefinition) -> Bool {
        func made(_ definition: IndexDefinition) -> IndexDefinition {
            IndexDefinition(
                kind: definition.kind, parameters: definition.parameters.filter { !searchParameters.contains($0.key) })
        }
        return made(one) != made(other)
    }
}
