internal import CVectorKernels
internal import KithCore

/// Some queries side by side, compared with blocks of rows that are read once for all of them: products tell which pairs are worth comparing.
final class QueryPanel {
    /// A block stays in the second cache; the kernels take 4, 6 or 12 rows at a time.
    static let rowsAtOnce = 120

    private let space: VectorSpace
    private let rows: VectorRows
    private let kernel: kith_panel_kernel
    private let components, bias, limits, widened, rowBias, rowScale: UnsafeMutablePointer<Float>
    private let pairs: UnsafeMutablePointer<kith_panel_pair>
    private let count: Int

    /// Queries that a panel has places for; nil where the metric is not a function of products.
    static func width(_ space: VectorSpace, _ rows: VectorRows) -> Int? { kernel(space, rows)?.width }

    private static func kernel(_ space: VectorSpace, _ rows: VectorRows) -> kith_panel_kernel? {
        guard rows.kernel == nil, kith_panel_can_compare(space.element.rawValue, space.metric.rawValue) else { return nil }
        return kith_panel_kernel_at(kith_simd_active())?.pointee
    }

    /// Nil where the metric is not a function of products.
    ///
    /// - Parameter vectors: no more than there are places for.
    init?(_ vectors: [UnsafeRawPointer], _ space: VectorSpace, _ rows: VectorRows) {
        guard let kernel = Self.kernel(space, rows) else { return nil }
        (self.space, self.rows, self.kernel, count) = (space, rows, kernel, vectors.count)
        components = .repeating(0, kernel.width * space.dimension)
        bias = .repeating(0, kernel.width)
        // Places without a query want nothing.
        limits = .repeating(-.infinity, kernel.width)
        widened = .repeating(0, Self.rowsAtOnce * space.dimension)
        rowBias = .repeating(0, Self.rowsAtOnce)
        rowScale = .repeating(0, Self.rowsAtOnce)
        pairs = .allocate(capacity: kernel.width * Self.rowsAtOnce)
        for (number, vector) in vectors.enumerated() {
            kith_panel_place(
                space.element.rawValue, space.metric.rawValue, vector, space.dimension, kernel.width, number, components, bias)
        }
    }

    deinit {
        for floats in [components, bias, limits, widened, rowBias, rowScale] { floats.deallocate() }
        pairs.deallocate()
    }

    /// Tells the pairs whose distance may be within the query's limit: among them are all whose distance is.
    ///
    /// - Parameters:
    ///   - count: at most `rowsAtOnce`.
    ///   - limit: by query, the largest distance that is wanted.
    func compare(
        from first: UInt32, count rowCount: Int, limit: (_ query: Int) -> Float, near: (_ query: Int, _ slot: UInt32) -> Void
    ) {
        for number in 0..<count { limits[number] = limit(number) }
        let panel = kith_panel(dimension: space.dimension, components: components, bias: bias, limit: limits)
        let ready = kith_panel_ready(
            space.element.rawValue, space.metric.rawValue, rows.row(first), rows.stride, rowCount, space.dimension,
            widened, rowBias, rowScale)
        let found = withUnsafePointer(to: panel) { panel in withUnsafePointer(to: ready) { kernel.scan(panel, $0, pairs) } }
        for index in 0..<found where Int(pairs[index].query) < count { near(Int(pairs[index].query), first + pairs[index].row) }
        rows.passed(first..<first + UInt32(rowCount))
    }
}

extension UnsafeMutablePointer<Float> {
    fileprivate static func repeating(_ value: Float, _ count: Int) -> UnsafeMutablePointer<Float> {
        let floats = UnsafeMutablePointer.allocate(capacity: count)
        floats.initialize(repeating: value, count: count)
        return floats
    }
}
