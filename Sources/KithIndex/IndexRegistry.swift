public import KithCore

/// Index kinds by name. A new kind is one folder and one line in `builtIn`.
public struct IndexRegistry: Sendable {
    private var makers: [String: any VectorIndexMaker] = [:]

    /// - Parameter metrics: what a definition may name in place of the space's own metric.
    public init(_ makers: [any VectorIndexMaker], metrics: MetricRegistry = .builtIn) {
        for maker in makers { self.makers[maker.kind] = MeasuredIndexMaker(maker, metrics) }
    }

    /// What Kith ships.
    public static let builtIn = IndexRegistry(
        [FlatIndexMaker(), GraphIndexMaker.inMemory, GraphIndexMaker.onDisk] + IVFIndexMaker.all())

    /// The kinds that exist, in order of name.
    public var kinds: [String] { makers.keys.sorted() }

    /// - Throws: `UNKNOWN_INDEX_KIND`, naming the kinds there are.
    public func maker(_ kind: String) throws(KithError) -> any VectorIndexMaker {
        guard let maker = makers[kind] else {
            throw .invalid(
                .unknownIndexKind, field: "index.kind", "'\(kind)' is none of \(kinds.joined(separator: ", "))",
                metadata: ["kind": kind])
        }
        return maker
    }
}
