#if canImport(Glibc)
    internal import Glibc
#endif
internal import CVectorKernels
internal import KithCore

/// The bounds of a walk.
struct WalkBounds {
    /// Nodes kept at most.
    var window: Int
    /// The rank whose distance, times `ratio`, bounds those of nodes kept.
    var top = 1
    /// Infinite: only the window bounds.
    var ratio = Float.infinity

    init(window: Int) { self.window = window }

    /// For the nearest `topK`, or those among them that match: as many candidates as `effort` on average, but by distance.
    ///
    /// Where distances grow with the power `spread` of the rank, that many nodes lie within this ratio of the `topK`th. A query
    /// in a sparse place so looks at fewer, and one in a crowd at more, than a window of that size would; at equal recall that
    /// compares a fifth to a third less (after the adaptive beam search of Al-Jazzazi et al., arXiv 2505.15636).
    init(topK: Int, effort: Int, spread: Float, metric: Metric) {
        guard spread > 0, metric != .dot else {
            window = effort * (metric == .dot ? WalkBounds.productSlack : 1)
            return
        }
        top = topK
        ratio = pow(Float(effort) / Float(topK), spread)
        window = effort * WalkBounds.windowSlack
    }

    /// A window alone has to be this much wider for products, whose nearest lie far apart.
    private static let productSlack = 2
    /// A crowd may hold this many times as many candidates as asked for.
    private static let windowSlack = 4

    fileprivate var asKernelsTakeThem: kith_walk_bounds {
        kith_walk_bounds(window: UInt32(window), top: UInt32(top), ratio: ratio)
    }
}

/// The memory of one walk and one query, kept for the next one.
final class GraphWalk: @unchecked Sendable {
    var scan = SearchScratch()
    private var walk = kith_walk()
    private var rankCapacity = 0
    private var seenCapacity = 0
    private var roomCapacity = 0
    private let components: UnsafeMutablePointer<Float>
    private let queryBytes: UnsafeMutablePointer<Int8>
    private(set) var query = kith_node_query()
    private let linkRoom: UnsafeMutablePointer<UInt32>
    let rows: RowBuffer

    /// Nodes expanded between two questions to `shouldStop`.
    static let expansionsBetweenStops: UInt32 = 256
    /// Places for seen nodes for each candidate, and in all.
    private static let seenPerCandidate = 32
    private static let seenRange = 1 << 10...1 << 20

    init(_ context: IndexContext) {
        let dimension = context.space.dimension
        components = .allocate(capacity: dimension)
        queryBytes = .allocate(capacity: kith_node_query_bytes(UInt8(KITH_CODE_SCALAR8), dimension))
        linkRoom = .allocate(capacity: RecordLayout.mostLinks)
        rows = RowBuffer(context)
        walk.links = linkRoom
    }

    deinit {
        components.deallocate()
        queryBytes.deallocate()
        linkRoom.deallocate()
        if rankCapacity > 0 { walk.ranks.deallocate() }
        if seenCapacity > 0 { walk.seen.deallocate() }
        if roomCapacity > 0 {
            walk.nodes.deallocate()
            walk.list.deallocate()
            walk.distances.deallocate()
        }
    }

    /// Rows compared by the walk so far.
    var compared: Int { Int(walk.compared) }

    /// What was found, nearest first; bit 0 of a rank has no meaning. Valid until the walk goes on, or the next begins.
    var found: UnsafeBufferPointer<UInt64> {
        UnsafeBufferPointer(start: walk.ranks, count: Int(walk.has_stages ? kith_walk_stage_count(&walk) : walk.count))
    }

    /// What was compared and lies within the widest bounds, found by a stage or not; as `found`.
    var kept: UnsafeBufferPointer<UInt64> { UnsafeBufferPointer(start: walk.ranks, count: Int(walk.count)) }

    /// Takes a row as the query of the next walks; it must stay where it is.
    func setQuery(_ row: UnsafeRawPointer, of graph: Graph) {
        query = kith_node_query_of_row(graph.records, graph.element, row, components, queryBytes)
    }

    /// Takes a row as the query, for codes of the tail.
    func setQuery(_ row: UnsafeRawPointer, of codes: TailCodes) {
        query = kith_node_query_of_row(codes.records, codes.element, row, components, queryBytes)
    }

    /// Lower bounds of the distances from the query to rows of the tail, by the places of their codes.
    func leastDistances(
        _ places: UnsafePointer<UInt32>, count: Int, of codes: TailCodes, into distances: UnsafeMutablePointer<Float>
    ) {
        codes.records.pointee.distances?(codes.records, &query, places, count, distances)
        kith_node_least_distances(codes.records, &query, places, count, distances)
    }

    /// Takes a node as the query.
    func setQuery(node: UInt32, of graph: Graph) {
        query = kith_node_query_of_node(graph.records, node, queryBytes)
    }

    /// Up to where a distance from the query may be rounding alone.
    func rounding(of graph: Graph) -> Float { kith_node_rounding(graph.records, &query) }

    /// Distances from the query to nodes.
    func distances(
        _ nodes: UnsafePointer<UInt32>, count: Int, of graph: Graph, into distances: UnsafeMutablePointer<Float>
    ) {
        graph.records.pointee.distances?(graph.records, &query, nodes, count, distances)
    }

    /// Finds nodes near the query; false where it was stopped, or grew beyond `budget` compared rows.
    ///
    /// - Parameter records: the graph's records, or those that say that links are read from their file.
    /// - Throws: `CANCELLED`, or `STORAGE_FAILURE` where links cannot be read.
    func run(
        _ graph: Graph, _ bounds: WalkBounds, over records: UnsafePointer<kith_records>? = nil, budget: Int = .max,
        shouldStop: () -> Bool = { false }
    ) throws(KithError) -> Bool {
        let records = records ?? graph.records
        begin(graph, bounds, over: records)
        return try finish(records, budget: budget, shouldStop: shouldStop)
    }

    /// Begins a walk that goes on by stages, none of which goes beyond `bounds`.
    func beginStages(_ graph: Graph, within bounds: WalkBounds) { begin(graph, bounds, over: graph.records) }

    /// Goes on to where a walk of its own with these bounds would have gone, which are no narrower than those of the stage before:
    /// finds and compares the same. So all of them cost what the widest does.
    ///
    /// - Throws: `STORAGE_FAILURE` where links cannot be read.
    func runStage(_ graph: Graph, _ bounds: WalkBounds, budget: Int) throws(KithError) -> Bool {
        kith_walk_begin_stage(&walk, bounds.asKernelsTakeThem)
        return try finish(graph.records, budget: budget) { false }
    }

    private func begin(_ graph: Graph, _ bounds: WalkBounds, over records: UnsafePointer<kith_records>) {
        reserve(window: max(bounds.window, Int(KITH_BEACON_BEAM)), links: graph.layout.linkCapacity)
        kith_walk_begin(&walk, records, &query, graph.beacons.view, bounds.asKernelsTakeThem)
    }

    private func finish(
        _ records: UnsafePointer<kith_records>, budget: Int, shouldStop: () -> Bool
    ) throws(KithError) -> Bool {
        while !kith_walk_advance(&walk, records, &query, GraphWalk.expansionsBetweenStops) {
            if shouldStop() { throw .searchCancelled }
            if compared > budget { return false }
        }
        guard walk.failure == 0 else {
            throw KithError(.internal, .storageFailure, "the links of a graph cannot be read: errno \(walk.failure)")
        }
        return true
    }

    private func reserve(window: Int, links: Int) {
        if window > rankCapacity {
            if rankCapacity > 0 { walk.ranks.deallocate() }
            rankCapacity = max(2 * rankCapacity, window)
            walk.ranks = .allocate(capacity: rankCapacity)
        }
        var places = GraphWalk.seenRange.lowerBound
        while places < window * GraphWalk.seenPerCandidate, places < GraphWalk.seenRange.upperBound { places *= 2 }
        if places > seenCapacity {
            if seenCapacity > 0 { walk.seen.deallocate() }
            seenCapacity = places
            walk.seen = .allocate(capacity: places)
        }
        walk.seen_mask = UInt32(places - 1)
        let room = max(Int(KITH_BEACON_ENTRIES), Int(KITH_BEACON_LINKS), links)
        if room > roomCapacity {
            if roomCapacity > 0 {
                walk.nodes.deallocate()
                walk.list.deallocate()
                walk.distances.deallocate()
            }
            roomCapacity = room
            walk.nodes = .allocate(capacity: room)
            walk.list = .allocate(capacity: room)
            walk.distances = .allocate(capacity: room)
        }
    }
}
