internal import CVectorKernels
internal import KithCore

/// Exact answers to several queries at once: rows are read once for as many queries as a panel holds, and products tell which pairs are worth comparing.
///
/// The answers are those of one scan a query, to the bit: a pair is left out only where its lower bound is above the query's farthest neighbour.
struct PanelScan {
    /// From as many queries on it is faster than a scan for each.
    static let fewestQueries = 3
    /// A block stays in the second cache; the kernels take 4, 6 or 12 rows at a time.
    private static let rowsAtOnce = 120
    private static let blocksBetweenStops = SearchScratch.rowsBetweenStops / rowsAtOnce

    private let space: VectorSpace
    private let rows: VectorRows
    private let distances: SpaceDistance
    private let kernel: kith_panel_kernel

    /// Nil where the metric is not a function of products.
    private init?(_ space: VectorSpace, rows: VectorRows) throws(KithError) {
        guard rows.kernel == nil, kith_panel_can_compare(space.element.rawValue, space.metric.rawValue),
            let kernel = kith_panel_kernel_at(kith_simd_active())
        else { return nil }
        self.space = space
        self.rows = rows
        self.kernel = kernel.pointee
        distances = try SpaceDistance(space, rows: rows)
    }

    /// The nearest visible slots to each query, nearest first; nil where a panel does not serve them: too few queries, filters, another metric.
    /// O(queries * rows).
    ///
    /// - Throws: `CANCELLED` when any of them said so.
    static func answers(
        _ queries: [IndexQuery], _ space: VectorSpace, _ rows: VectorRows, _ visibility: Visibility
    ) throws(KithError) -> [[Neighbour]]? {
        guard queries.count >= fewestQueries, queries.allSatisfy({ $0.filter == nil }),
            let scan = try PanelScan(space, rows: rows)
        else { return nil }
        return try scan.answers(queries, visibility)
    }

    private func answers(_ queries: [IndexQuery], _ visibility: Visibility) throws(KithError) -> [[Neighbour]] {
        var answers: [[Neighbour]] = []
        answers.reserveCapacity(queries.count)
        for first in stride(from: 0, to: queries.count, by: kernel.width) {
            let some = queries[first..<min(first + kernel.width, queries.count)]
            answers += try scan(some.map { Place($0, distances) }, visibility)
        }
        return answers
    }

    /// A query of a panel.
    private final class Place {
        let query: IndexQuery
        let distance: QueryDistance
        var nearest = NearestRanks()

        init(_ query: IndexQuery, _ distances: SpaceDistance) {
            self.query = query
            distance = distances.query(query.vector)
            nearest.reset(limit: query.topK)
        }

        /// No distance above this is wanted.
        var limit: Float {
            query.topK == 0 ? -.infinity : nearest.isFull ? Rank(bits: nearest.farthest).distance : .infinity
        }
    }

    private func scan(_ places: [Place], _ visibility: Visibility) throws(KithError) -> [[Neighbour]] {
        let memory = PanelMemory(kernel.width, rows: Self.rowsAtOnce, dimension: space.dimension)
        for (number, place) in places.enumerated() {
            kith_panel_place(
                space.element.rawValue, space.metric.rawValue, place.query.vector, space.dimension, kernel.width, number,
                memory.components, memory.queryBias)
        }
        let panel = kith_panel(
            dimension: space.dimension, components: memory.components, bias: memory.queryBias, limit: memory.limits)
        for (block, first) in stride(from: UInt32(0), to: visibility.bound, by: Self.rowsAtOnce).enumerated() {
            if block % Self.blocksBetweenStops == 0, places.contains(where: { $0.query.shouldStop() }) { throw .searchCancelled }
            for (number, place) in places.enumerated() { memory.limits[number] = place.limit }
            let count = min(Self.rowsAtOnce, Int(visibility.bound - first))
            let ready = kith_panel_ready(
                space.element.rawValue, space.metric.rawValue, rows.row(first), rows.stride, count, space.dimension,
                memory.widened, memory.rowBias, memory.rowScale)
            let found = withUnsafePointer(to: panel) { panel in
                withUnsafePointer(to: ready) { kernel.scan(panel, $0, memory.pairs) }
            }
            compare(memory.pairs, found, first, places, visibility)
        }
        return places.map { place in place.nearest.sorted().map { Rank(bits: $0).neighbour } }
    }

    /// Keeps the pairs that are as near as their bounds promise.
    private func compare(
        _ pairs: UnsafePointer<kith_panel_pair>, _ count: Int, _ first: UInt32, _ places: [Place], _ visibility: Visibility
    ) {
        for index in 0..<count where Int(pairs[index].query) < places.count {
            let place = places[Int(pairs[index].query)]
            let slot = first + pairs[index].row
            guard place.query.topK > 0, visibility.admits(slot) else { continue }
            let rank = Rank(distance: place.distance.distance(to: slot), slot: slot)
            if place.nearest.wants(rank) { place.nearest.insert(rank) }
        }
    }
}

/// What a panel and the rows before it are kept in.
private final class PanelMemory {
    let components, queryBias, limits, widened, rowBias, rowScale: UnsafeMutablePointer<Float>
    let pairs: UnsafeMutablePointer<kith_panel_pair>

    init(_ width: Int, rows: Int, dimension: Int) {
        components = .repeating(0, width * dimension)
        queryBias = .repeating(0, width)
        // Places without a query want nothing.
        limits = .repeating(-.infinity, width)
        widened = .repeating(0, rows * dimension)
        rowBias = .repeating(0, rows)
        rowScale = .repeating(0, rows)
        pairs = .allocate(capacity: width * rows)
    }

    deinit {
        for floats in [components, queryBias, limits, widened, rowBias, rowScale] { floats.deallocate() }
        pairs.deallocate()
    }
}

extension UnsafeMutablePointer<Float> {
    fileprivate static func repeating(_ value: Float, _ count: Int) -> UnsafeMutablePointer<Float> {
        let floats = UnsafeMutablePointer.allocate(capacity: count)
        floats.initialize(repeating: value, count: count)
        return floats
    }
}
