public import KithCore

/// Makes graphs of one level with codes of the vectors in memory. Parameters: see `GraphParameters`.
public struct GraphIndexMaker: VectorIndexMaker {
    public let kind: String
    private let linksOnDisk: Bool

    /// Links beside the codes: the fastest.
    public static let inMemory = GraphIndexMaker(kind: "graph", linksOnDisk: false)
    /// Links in a file, and smaller codes: the smallest.
    public static let onDisk = GraphIndexMaker(kind: "disk_graph", linksOnDisk: true)

    public func check(_ space: VectorSpace) throws(KithError) { _ = try parameters(space).code(for: space) }

    private func parameters(_ space: VectorSpace) throws(KithError) -> GraphParameters {
        try GraphParameters(space.index.parameters, linksOnDisk: linksOnDisk)
    }

    public func sectionCapacities(_ space: VectorSpace) -> [String: Int] {
        // Definitions are checked before they are stored; one that is not valid has no checkpoint either.
        guard let parameters = try? parameters(space), let codes = try? parameters.codes(for: space) else { return [:] }
        return codes.reduce(into: [:]) { capacities, code in
            let layout = RecordLayout(space, code: code, parameters)
            capacities.merge(Graph.sectionCapacities(layout)) { max($0, $1) }
        }
    }

    public func make(_ context: IndexContext) throws(KithError) -> any VectorIndex {
        let parameters = try parameters(context.space)
        return try GraphIndex(context, parameters: parameters, graph: Graph(context, parameters))
    }

    public func restore(_ context: IndexContext, from checkpoint: RestoredCheckpoint) throws(KithError) -> any VectorIndex {
        let parameters = try parameters(context.space)
        return try GraphIndex(
            context, parameters: parameters, graph: Graph(context, parameters, checkpoint),
            efforts: EffortTable(checkpoint.attributes))
    }
}

extension GraphIndexMaker: PredictableIndexMaker {
    public func predict(_ space: VectorSpace, vectors: Int) throws(KithError) -> IndexPrediction {
        let parameters = try parameters(space)
        let layout = RecordLayout(space, code: try parameters.code(for: space), parameters)
        let links = layout.hasLinksApart ? vectors * layout.linksStride : 0
        // Links at most: how many a node gets, the data say.
        let nodes =
            layout.hasLinksApart
            ? vectors * MemoryLayout<UInt32>.size + PackedLinks.byteCount(nodes: vectors, links: layout.linkCapacity)
            : vectors * layout.stride
        let perBeacon = MemoryLayout<UInt32>.size + Beacons.rowBytes
        return IndexPrediction(
            footprint: IndexFootprint(memoryBytes: vectors * layout.stride, linkBytes: links),
            checkpointBytes: nodes + Beacons.count(ofNodes: vectors) * perBeacon)
    }
}
