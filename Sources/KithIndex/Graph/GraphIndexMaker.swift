public import KithCore

/// Makes graphs of one level with codes beside the links. Parameters: see `GraphParameters`.
public struct GraphIndexMaker: VectorIndexMaker {
    public init() {}

    public var kind: String { "graph" }

    public func check(_ space: VectorSpace) throws(KithError) {
        _ = try GraphParameters(space.index.parameters).code(for: space)
    }

    public func sectionCapacities(_ space: VectorSpace) -> [String: Int] {
        // Definitions are checked before they are stored; one that is not valid has no checkpoint either.
        guard let parameters = try? GraphParameters(space.index.parameters), let code = try? parameters.code(for: space)
        else { return [:] }
        let layout = RecordLayout(space, code: code, degree: parameters.degree)
        return ["records": layout.byteCapacity, "entries": Graph.entryBytes]
    }

    public func make(_ context: IndexContext) throws(KithError) -> any VectorIndex {
        let parameters = try GraphParameters(context.space.index.parameters)
        return try GraphIndex(context, parameters: parameters, graph: Graph(context, parameters))
    }

    public func restore(_ context: IndexContext, from checkpoint: RestoredCheckpoint) throws(KithError) -> any VectorIndex {
        let parameters = try GraphParameters(context.space.index.parameters)
        return try GraphIndex(
            context, parameters: parameters, graph: Graph(context, parameters, checkpoint),
            efforts: EffortTable(checkpoint.attributes))
    }
}
