internal import CVectorKernels
internal import KithCore

/// Whether codes of 4 bits do for the vectors of a graph that may choose: half the memory a comparison fetches, but too coarse for neighbours
/// that lie close together.
///
/// Judged by what walks need of codes: that the nearest by them hold the nearest there are.
struct CodeChoice {
    /// Vectors that are judged: so many must be there.
    static let vectors = 2_048
    private static let queries = 128
    /// The share of the `near` nearest that must be among the `nearByCodes` nearest by codes. Sentences by a language model have 1.00, vectors of few
    /// dimensions .92, tight clusters .35.
    private static let wantedShare = 0.98
    private static let (near, nearByCodes) = (10, 20)
    /// Bytes of a code that must be saved: two cache lines, or else what it takes to compare more rows in full eats the gain.
    private static let savedBytes = 128

    private let context: IndexContext
    private let parameters: GraphParameters

    /// Nil where there is nothing to choose.
    init?(_ context: IndexContext, _ parameters: GraphParameters) throws(KithError) {
        guard try parameters.codes(for: context.space).count > 1 else { return nil }
        self.context = context
        self.parameters = parameters
    }

    /// Whether 4 bits can save enough to be worth a look.
    static func isWorthIt(_ space: VectorSpace, insteadOf code: UInt8) -> Bool {
        func bytes(_ code: UInt8) -> Int { kith_node_bytes(code, space.element.rawValue, space.dimension) }
        return bytes(code) - bytes(UInt8(KITH_CODE_SCALAR4)) >= savedBytes
    }

    /// The code that suits these vectors. O(`vectors` * `queries`).
    func code(for slots: [UInt32]) throws(KithError) -> UInt8 {
        let codes = try parameters.codes(for: context.space)
        guard let usual = codes.first, let smaller = codes.last else { return UInt8(KITH_CODE_FULL) }
        // Most of the first have died: nothing to judge by.
        if slots.count < Self.queries { return usual }
        return try share(of: slots, code: smaller) >= Self.wantedShare ? smaller : usual
    }

    private func share(of slots: [UInt32], code: UInt8) throws(KithError) -> Double {
        let graph = try Graph(context, parameters, code: code)
        let walk = GraphWalk(context)
        let components = UnsafeMutablePointer<Float>.allocate(capacity: context.space.dimension)
        let distances = UnsafeMutablePointer<Float>.allocate(capacity: slots.count)
        defer {
            components.deallocate()
            distances.deallocate()
        }
        let rows = context.rows
        let nodes = slots.compactMap { graph.addNode($0, row: rows.row($0), components: components) }
        let space = try SpaceDistance(context.space, rows: rows)
        var (found, wanted) = (0, 0)
        for number in 0..<Self.queries {
            let query = slots[number * slots.count / Self.queries]
            space.query(slot: query).gather(slots, count: slots.count, into: distances)
            let nearest = Self.nearest(Self.near, slots, distances, without: query)
            walk.setQuery(rows.row(query), of: graph)
            walk.distances(nodes, count: nodes.count, of: graph, into: distances)
            let nearestByCodes = Self.nearest(Self.nearByCodes, slots, distances, without: query)
            found += nearest.intersection(nearestByCodes).count
            wanted += nearest.count
        }
        return Double(found) / Double(max(wanted, 1))
    }

    private static func nearest(
        _ count: Int, _ slots: [UInt32], _ distances: UnsafePointer<Float>, without query: UInt32
    ) -> Set<UInt32> {
        var nearest = NearestRanks()
        nearest.reset(limit: count)
        for (index, slot) in slots.enumerated() where slot != query {
            let rank = Rank(distance: distances[index], slot: slot)
            if nearest.wants(rank) { nearest.insert(rank) }
        }
        return Set(nearest.sorted().map { Rank(bits: $0).slot })
    }
}
