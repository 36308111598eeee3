internal import KithCore

/// The nearest rows of some stored vectors, found by comparing everything, a piece at a time.
///
/// Rows are compared in blocks that stay in the cache for all vectors: that costs passes of arithmetic, not of memory.
struct ExactNeighbours: ~Copyable {
    /// A vector, and the slots below which its neighbours are looked for.
    typealias Query = (slot: UInt32, bound: UInt32)

    private final class Nearest {
        var ranks = NearestRanks()
    }

    private let space: SpaceDistance
    private let visibility: Visibility
    private let queries: [Query]
    private let nearest: [Nearest]
    private let end: UInt32
    private let scratch = SearchScratch()
    /// Rows below this have been compared.
    private var scanned: UInt32 = 0

    /// - Parameter count: neighbours wanted of each.
    init(_ queries: [Query], count: Int, space: SpaceDistance, deaths: SlotDeaths) {
        self.queries = queries
        self.space = space
        nearest = queries.map { _ in
            let nearest = Nearest()
            nearest.ranks.reset(limit: count)
            return nearest
        }
        end = queries.map(\.bound).max() ?? 0
        visibility = Visibility(deaths: deaths, position: .max, bound: end)
    }

    /// Does about that many comparisons; answers whether all are done.
    mutating func advance(comparisons: Int) -> Bool {
        var left = comparisons
        while left > 0, scanned < end {
            let next = min(scanned + UInt32(SearchScratch.blockSize), end)
            for (index, query) in queries.enumerated() where query.bound > scanned {
                compare(scanned..<min(next, query.bound), query, nearest[index])
            }
            left -= Int(next - scanned) * queries.count
            scanned = next
        }
        return scanned == end
    }

    private func compare(_ range: Range<UInt32>, _ query: Query, _ nearest: Nearest) {
        space.query(slot: query.slot).scan(from: range.lowerBound, count: range.count, into: scratch.distances)
        for slot in range {
            let rank = Rank(distance: scratch.distances[Int(slot - range.lowerBound)], slot: slot)
            if nearest.ranks.wants(rank), slot != query.slot, visibility.admits(slot) { nearest.ranks.insert(rank) }
        }
    }

    /// Of the query of that number, nearest first; to be asked once.
    func ranks(_ index: Int) -> [Rank] { nearest[index].ranks.sorted().map(Rank.init(bits:)) }
}
