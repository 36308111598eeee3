public import KithCore

/// No index at all: every search compares the query with every row, in memory order. Exact, and the best choice up to
/// some tens of thousands of vectors.
///
/// All of it is tail, so `indexedOnly` leaves nothing out here.
public final class FlatIndex: VectorIndexReader, VectorIndexWriter {
    private let space: VectorSpace
    private let rows: VectorRows
    private let deaths: SlotDeaths
    private let scratches = ScratchPool()

    public init(_ context: IndexContext) throws(KithError) {
        space = context.space
        rows = context.rows
        deaths = context.deaths
        _ = try SpaceDistance(space, rows: rows)
    }

    public var linkedCount: UInt32 { 0 }
    public var footprint: IndexFootprint { IndexFootprint() }
    public var linkableSlots: UInt32 { 0 }

    /// O(rows), or of the matches of a filter. Ties: the smaller slot first.
    public func search(_ query: IndexQuery, in snapshot: Snapshot) throws(KithError) -> [Neighbour] {
        guard query.topK > 0 else { return [] }
        let distance = try SpaceDistance(space, rows: rows).query(query.vector)
        let visibility = Visibility(deaths: deaths, position: snapshot.position, bound: snapshot.slotCount)
        return try scratches.withScratch { scratch throws(KithError) in
            scratch.nearest.reset(limit: query.topK)
            try scratch.scan(
                0..<snapshot.slotCount, distance, visibility, matching: query.filter, shouldStop: query.shouldStop)
            return scratch.answer()
        }
    }

    /// O(queries * rows), the rows read once for many queries where the metric allows it.
    public func search(_ queries: [IndexQuery], in snapshot: Snapshot) throws(KithError) -> [[Neighbour]] {
        let visibility = Visibility(deaths: deaths, position: snapshot.position, bound: snapshot.slotCount)
        if let answers = try PanelScan.answers(queries, space, rows, visibility) { return answers }
        return try searchEach(queries, in: snapshot)
    }

    public func expectedComparisons(_ query: IndexQuery, in snapshot: Snapshot) -> Int {
        query.filter?.count(in: 0..<snapshot.slotCount) ?? Int(snapshot.slotCount)
    }

    public func hasWork(upTo slotCount: UInt32) -> Bool { false }

    public func link(upTo slotCount: UInt32, limit: Int, inHurry: Bool) throws(KithError) -> UInt32 { 0 }

    public func checkpoint() -> IndexCheckpoint { IndexCheckpoint(attributes: ["format": 1], sections: []) }
}

/// Makes flat indexes. They have no parameters.
public struct FlatIndexMaker: VectorIndexMaker {
    public init() {}

    public var kind: String { "flat" }

    public func check(_ space: VectorSpace) throws(KithError) {
        if let name = space.index.parameters.keys.sorted().first {
            throw .invalidIndexParameter(name, "a flat index has no parameters")
        }
    }

    public func sectionCapacities(_ space: VectorSpace) -> [String: Int] { [:] }

    public func make(_ context: IndexContext) throws(KithError) -> any VectorIndex { try FlatIndex(context) }

    public func restore(_ context: IndexContext, from checkpoint: RestoredCheckpoint) throws(KithError) -> any VectorIndex {
        try FlatIndex(context)
    }
}
