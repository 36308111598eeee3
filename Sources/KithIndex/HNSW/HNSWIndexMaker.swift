public import KithCore

/// Makes graphs. Parameters: `m`, `ef_construction`, `ef_search`; see `HNSWParameters`.
public struct HNSWIndexMaker: VectorIndexMaker {
    public init() {}

    public var kind: String { "hnsw" }

    public func check(_ space: VectorSpace) throws(KithError) { _ = try HNSWParameters(space.index.parameters) }

    public func sectionCapacities(_ space: VectorSpace) -> [String: Int] {
        // Definitions are checked before they are stored; one that is not valid has no checkpoint either.
        guard let parameters = try? HNSWParameters(space.index.parameters) else { return [:] }
        let capacities = Graph.capacities(m: parameters.m)
        return ["base": capacities.base, "upper": capacities.upper, "nodes": capacities.nodes]
    }

    public func make(_ context: IndexContext) throws(KithError) -> any VectorIndex {
        let parameters = try HNSWParameters(context.space.index.parameters)
        return try HNSWIndex(context, parameters: parameters, graph: Graph(m: parameters.m))
    }

    public func restore(_ context: IndexContext, from checkpoint: RestoredCheckpoint) throws(KithError) -> any VectorIndex {
        let parameters = try HNSWParameters(context.space.index.parameters)
        return try HNSWIndex(
            context, parameters: parameters, graph: Graph(m: parameters.m, checkpoint),
            efforts: EffortTable(checkpoint.attributes))
    }
}
