public import KithCollections
public import KithCore

/// Facts of the node's own log: messages of the public contract, without what their commit gives them.
public struct NodeFacts: CatalogueDescriber, GovernanceDescriber {
    private let lineage: LineageFacts

    /// - Parameter cluster: the cluster's id, which datasets are named by.
    public init(cluster: String) { lineage = LineageFacts(cluster: cluster) }

    public func fact(_ change: CatalogueChange) throws(KithError) -> Fact { try CatalogueFacts().fact(change) }

    public func lineage(_ change: CatalogueChange, at time: Int64) throws(KithError) -> Fact? {
        try lineage.fact(change, at: time)
    }

    public func systemContext(_ name: String) throws(KithError) -> OwnedBytes { try GovernanceFacts().systemContext(name) }

    public func fact(_ event: GovernanceEvent) throws(KithError) -> Fact {
        if case .runRecorded(let run) = event { return try lineage.fact(run) }
        return try GovernanceFacts().fact(event)
    }
}
