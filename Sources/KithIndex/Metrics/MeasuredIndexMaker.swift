internal import KithCore

/// Takes the parameters that say how vectors are compared, `metric` and `mahalanobis`, off a definition, so that no kind of index need know them.
struct MeasuredIndexMaker: VectorIndexMaker {
    private let inner: any VectorIndexMaker
    private let metrics: MetricRegistry

    init(_ inner: any VectorIndexMaker, _ metrics: MetricRegistry) {
        self.inner = inner
        self.metrics = metrics
    }

    var kind: String { inner.kind }

    /// A definition without those parameters, and what they said.
    private struct Measured {
        var space: VectorSpace
        var metric: CustomMetric?
        var mahalanobis: MahalanobisDefinition?
    }

    private func measured(_ space: VectorSpace) throws(KithError) -> Measured {
        var measured = Measured(space: space)
        if let name = measured.space.index.parameters.removeValue(forKey: "metric") {
            measured.metric = try metrics.metric(name, for: space)
        }
        if let text = measured.space.index.parameters.removeValue(forKey: MahalanobisDefinition.parameter) {
            guard measured.metric == nil else {
                throw .invalidIndexParameter(MahalanobisDefinition.parameter, "is not there beside another metric")
            }
            measured.mahalanobis = try MahalanobisDefinition(text, space)
            measured.space = measured.mahalanobis?.innerSpace(measured.space) ?? space
        }
        return measured
    }

    func check(_ space: VectorSpace) throws(KithError) { try inner.check(measured(space).space) }

    func sectionCapacities(_ space: VectorSpace) -> [String: Int] {
        guard let measured = try? measured(space) else { return [:] }
        var capacities = inner.sectionCapacities(measured.space)
        if measured.mahalanobis != nil { capacities[TransformedIndex.section] = 4 * space.dimension * space.dimension }
        return capacities
    }

    func make(_ context: IndexContext) throws(KithError) -> any VectorIndex {
        let measured = try measured(context.space)
        if let mahalanobis = measured.mahalanobis {
            let transformed = try TransformedRows(context, mahalanobis.transform)
            return TransformedIndex(transformed, inner: try inner.make(transformed.context(measured.space)))
        }
        return try inner.make(plain(context, measured))
    }

    func restore(_ context: IndexContext, from checkpoint: RestoredCheckpoint) throws(KithError) -> any VectorIndex {
        let measured = try measured(context.space)
        guard let mahalanobis = measured.mahalanobis else { return try inner.restore(plain(context, measured), from: checkpoint) }
        let transform = try TransformedIndex.transform(in: checkpoint, dimension: context.space.dimension)
        let transformed = try TransformedRows(
            context, mahalanobis.transform ?? transform,
            learnedFrom: checkpoint.attributes[TransformedIndex.learnedFrom].flatMap(UInt32.init(exactly:)))
        // First: some indexes are made again of the rows.
        if transformed.transform != nil {
            let count = try TransformedIndex.rowCount(in: checkpoint)
            transformed.advance(upTo: count, of: count)
        }
        let index = try inner.restore(transformed.context(measured.space), from: checkpoint)
        guard index.linkedCount <= transformed.count else {
            throw KithError(
                .dataLoss, .corruption, "the checkpoint of an index has links, but not the transformed rows they were made with")
        }
        return TransformedIndex(transformed, inner: index)
    }

    private func plain(_ context: IndexContext, _ measured: Measured) -> IndexContext {
        var plain = context
        plain.space = measured.space
        plain.rows.kernel = measured.metric?.kernel
        return plain
    }
}
