internal import KithCore

/// The nearest rows of some stored vectors, found by comparing everything, a piece at a time, on several threads.
///
/// Vectors are compared as many at once as a panel holds, so that rows are read and multiplied for all of them; or, where the metric is no
/// function of products, one after another with blocks of rows that stay in the cache.
struct ExactNeighbours: ~Copyable {
    /// A vector, and the slots below which its neighbours are looked for.
    typealias Query = (slot: UInt32, bound: UInt32)

    private let groups: [Group]
    private let groupSize: Int
    private let queryCount: Int
    private let end: UInt32
    private let forkJoin: ForkJoin
    /// Rows below this have been compared.
    private var scanned: UInt32 = 0

    /// - Parameter count: neighbours wanted of each.
    init(_ queries: [Query], count: Int, _ context: IndexContext, _ distances: SpaceDistance, _ forkJoin: ForkJoin) {
        let size = QueryPanel.width(context.space, context.rows) ?? Self.scansTogether
        groups = stride(from: 0, to: queries.count, by: size).map { first in
            Group(queries[first..<min(first + size, queries.count)], count: count, context, distances)
        }
        groupSize = size
        queryCount = queries.count
        end = queries.map(\.bound).max() ?? 0
        self.forkJoin = forkJoin
    }

    /// Vectors that are compared by one thread after another, where there is no panel for them.
    private static let scansTogether = 8

    /// Does about that many comparisons; answers whether all are done.
    mutating func advance(comparisons: Int) -> Bool {
        let rows = UInt32(clamping: max(comparisons / max(queryCount, 1), SearchScratch.blockSize))
        let range = scanned..<min(scanned + min(rows, end - scanned), end)
        let groups = groups
        if !range.isEmpty { forkJoin.run(groups.count, pieceSize: 1) { _, group in groups[group].compare(range) } }
        scanned = range.upperBound
        return scanned == end
    }

    /// Of the query of that number, nearest first; to be asked once.
    func ranks(_ index: Int) -> [Rank] { groups[index / groupSize].ranks(index % groupSize) }

    /// Queries that one thread compares.
    private final class Group: @unchecked Sendable {
        private final class Place {
            let query: Query
            let distance: QueryDistance
            var nearest = NearestRanks()

            init(_ query: Query, count: Int, _ distances: SpaceDistance) {
                self.query = query
                distance = distances.query(slot: query.slot)
                nearest.reset(limit: count)
            }
        }

        private let places: [Place]
        private let deaths: SlotDeaths
        private let panel: QueryPanel?
        private let scratch = SearchScratch()

        init(_ queries: ArraySlice<Query>, count: Int, _ context: IndexContext, _ distances: SpaceDistance) {
            places = queries.map { Place($0, count: count, distances) }
            deaths = context.deaths
            panel = QueryPanel(queries.map { context.rows.row($0.slot) }, context.space, context.rows)
        }

        func compare(_ range: Range<UInt32>) {
            let size = panel == nil ? SearchScratch.blockSize : QueryPanel.rowsAtOnce
            for first in stride(from: range.lowerBound, to: range.upperBound, by: size) {
                let block = first..<min(first + UInt32(size), range.upperBound)
                if let panel { compare(block, panel) } else { for place in places { scan(block, place) } }
            }
        }

        private func compare(_ block: Range<UInt32>, _ panel: QueryPanel) {
            let limit = { (number: Int) in self.places[number].nearest.limitDistance }
            panel.compare(from: block.lowerBound, count: block.count, limit: limit) { number, slot in
                let place = places[number]
                guard slot < place.query.bound else { return }
                keep(Rank(distance: place.distance.distance(to: slot), slot: slot), place)
            }
        }

        private func scan(_ block: Range<UInt32>, _ place: Place) {
            let block = block.clamped(to: 0..<place.query.bound)
            place.distance.scan(from: block.lowerBound, count: block.count, into: scratch.distances)
            for slot in block {
                keep(Rank(distance: scratch.distances[Int(slot - block.lowerBound)], slot: slot), place)
            }
        }

        private func keep(_ rank: Rank, _ place: Place) {
            if place.nearest.wants(rank), rank.slot != place.query.slot, !deaths.isDead(rank.slot) { place.nearest.insert(rank) }
        }

        func ranks(_ number: Int) -> [Rank] { places[number].nearest.sorted().map(Rank.init(bits:)) }
    }
}
