public import KithCollections
public import KithCore

/// Facts of the node's own log: serialised messages of the public contract, without what their commit gives them.
public struct NodeFacts: CatalogueDescriber, GovernanceDescriber {
    public init() {}

    public func fact(_ change: CatalogueChange) throws(KithError) -> Fact { try CatalogueFacts().fact(change) }
    public func systemContext(_ name: String) throws(KithError) -> OwnedBytes { try GovernanceFacts().systemContext(name) }
    public func fact(_ event: GovernanceEvent) throws(KithError) -> Fact { try GovernanceFacts().fact(event) }
}
