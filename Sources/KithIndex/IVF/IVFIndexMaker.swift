public import KithCore

/// Makes indexes of inverted lists: `ivf_flat`, with full vectors; `ivf_pq`, with product quantization; `ivf_rabitq`, with RaBitQ.
public struct IVFIndexMaker: VectorIndexMaker {
    private let flavour: IVFFlavour
    private let registry: QuantizerRegistry

    public static let flat = IVFIndexMaker(.flat)
    public static let product = IVFIndexMaker(.product)
    public static let raBitQ = IVFIndexMaker(.raBitQ)

    private init(_ flavour: IVFFlavour) {
        self.flavour = flavour
        registry = .builtIn
    }

    /// Inverted lists over any registered quantizer, as a kind of their own.
    public init(kind: String, quantizer: String, registry: QuantizerRegistry) {
        flavour = IVFFlavour(kind: kind, quantizer: [quantizer])
        self.registry = registry
    }

    public var kind: String { flavour.kind }

    public func check(_ space: VectorSpace) throws(KithError) { _ = try parameters(space) }

    private func parameters(_ space: VectorSpace) throws(KithError) -> IVFParameters {
        try IVFParameters(space, flavour: flavour, registry: registry)
    }

    public func sectionCapacities(_ space: VectorSpace) -> [String: Int] {
        let slotsOnly = InvertedLists.capacities(codeBytes: 0)
        return [
            "model": IVFModel.byteLimit(space), "heads": slotsOnly.heads, "links": slotsOnly.links, "chunks": Limits.regionBytes,
        ]
    }

    public func make(_ context: IndexContext) throws(KithError) -> any VectorIndex {
        try IVFIndex(context, parameters: parameters(context.space), registry: registry, state: nil)
    }

    public func restore(_ context: IndexContext, from checkpoint: RestoredCheckpoint) throws(KithError) -> any VectorIndex {
        let parameters = try parameters(context.space)
        let state = try IVFState.restore(context, parameters, registry, checkpoint)
        return try IVFIndex(
            context, parameters: parameters, registry: registry, state: state,
            efforts: state == nil ? nil : EffortTable(checkpoint.attributes))
    }
}
