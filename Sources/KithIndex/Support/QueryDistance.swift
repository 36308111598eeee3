internal import CVectorKernels
internal import KithCore

/// The distance function of a space, chosen once, with one query bound to it.
struct QueryDistance {
    private let kernel: kith_kernel
    private let rows: VectorRows
    private let query: UnsafeRawPointer
    private let dimension: Int
    private let scale: Float

    @inline(__always)
    func distance(to slot: UInt32) -> Float { kernel.distance(query, rows.row(slot), dimension, scale) }

    /// The distance to a row that may lie elsewhere.
    @inline(__always)
    func distance(toRow row: UnsafeRawPointer) -> Float { kernel.distance(query, row, dimension, scale) }

    /// Distances to `count` slots anywhere; their rows are fetched ahead.
    @inline(__always)
    func gather(_ slots: UnsafePointer<UInt32>, count: Int, into distances: UnsafeMutablePointer<Float>) {
        kernel.gather(query, rows.base, rows.stride, slots, count, dimension, scale, distances)
    }

    /// Distances to `count` slots in a row.
    @inline(__always)
    func scan(from first: UInt32, count: Int, into distances: UnsafeMutablePointer<Float>) {
        kernel.scan(query, rows.row(first), rows.stride, count, dimension, scale, distances)
        passed(first..<first + UInt32(count))
    }

    /// Says that a scan is done with these slots.
    @inline(__always)
    func passed(_ slots: Range<UInt32>) { rows.passed(slots) }

    fileprivate init(kernel: kith_kernel, rows: VectorRows, query: UnsafeRawPointer, dimension: Int, scale: Float) {
        self.kernel = kernel
        self.rows = rows
        self.query = query
        self.dimension = dimension
        self.scale = scale
    }
}

/// The kernel of a space over its rows: makes a `QueryDistance` for each query.
struct SpaceDistance {
    private let kernel: kith_kernel
    private let rows: VectorRows
    private let space: VectorSpace

    /// - Throws: `METRIC_MISMATCH` when the metric does not compare the element type.
    init(_ space: VectorSpace, rows: VectorRows) throws(KithError) {
        let kernel = rows.kernel ?? kith_kernel_for(space.element.rawValue, space.metric.rawValue)
        guard let kernel else {
            throw .invalid(.metricMismatch, field: "metric", "\(space.metric) does not compare \(space.element) vectors")
        }
        self.kernel = kernel.pointee
        self.rows = rows
        self.space = space
    }

    func query(_ vector: UnsafeRawPointer) -> QueryDistance {
        QueryDistance(
            kernel: kernel, rows: rows, query: vector, dimension: space.dimension,
            scale: kith_query_scale(space.element.rawValue, space.metric.rawValue, vector, space.dimension))
    }

    /// A stored vector as the query.
    @inline(__always)
    func query(slot: UInt32) -> QueryDistance { query(rows.row(slot)) }
}
