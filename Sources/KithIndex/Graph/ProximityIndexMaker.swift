public import KithCore

/// Makes graphs of one level with codes beside the links. Parameters: see `ProximityParameters`.
public struct ProximityIndexMaker: VectorIndexMaker {
    public init() {}

    public var kind: String { "graph" }

    public func check(_ space: VectorSpace) throws(KithError) {
        _ = try ProximityParameters(space.index.parameters).code(for: space)
    }

    public func sectionCapacities(_ space: VectorSpace) -> [String: Int] {
        // Definitions are checked before they are stored; one that is not valid has no checkpoint either.
        guard let parameters = try? ProximityParameters(space.index.parameters), let code = try? parameters.code(for: space)
        else { return [:] }
        let layout = RecordLayout(space, code: code, degree: parameters.degree)
        return ["records": layout.byteCapacity, "entries": ProximityGraph.entryBytes]
    }

    public func make(_ context: IndexContext) throws(KithError) -> any VectorIndex {
        let parameters = try ProximityParameters(context.space.index.parameters)
        return try ProximityIndex(context, parameters: parameters, graph: ProximityGraph(context, parameters))
    }

    public func restore(_ context: IndexContext, from checkpoint: RestoredCheckpoint) throws(KithError) -> any VectorIndex {
        let parameters = try ProximityParameters(context.space.index.parameters)
        return try ProximityIndex(
            context, parameters: parameters, graph: ProximityGraph(context, parameters, checkpoint),
            efforts: EffortTable(checkpoint.attributes))
    }
}
