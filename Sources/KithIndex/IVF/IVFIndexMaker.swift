public import KithCore

/// Makes indexes of inverted lists: of full vectors (`ivf_flat`), or of one quantizer's codes (`ivf_` and its name).
public struct IVFIndexMaker: VectorIndexMaker {
    private let quantizer: String?
    private let registry: QuantizerRegistry

    private init(quantizer: String?, _ registry: QuantizerRegistry) {
        self.quantizer = quantizer
        self.registry = registry
    }

    /// A kind for full vectors, and one for each quantizer there is.
    public static func all(_ registry: QuantizerRegistry = .builtIn) -> [any VectorIndexMaker] {
        ([nil] + registry.kinds).map { IVFIndexMaker(quantizer: $0, registry) }
    }

    public var kind: String { "ivf_\(quantizer ?? "flat")" }

    public func check(_ space: VectorSpace) throws(KithError) { _ = try parameters(space) }

    private func parameters(_ space: VectorSpace) throws(KithError) -> IVFParameters {
        try IVFParameters(space, standard: quantizer, registry: registry)
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
