internal import KithCore

/// Exact answers to several queries at once: rows are read once for as many queries as a panel holds.
///
/// The answers are those of one scan a query, to the bit: a pair is left out only where its lower bound is above the query's farthest neighbour.
enum PanelScan {
    /// From as many queries on it is faster than a scan for each.
    static let fewestQueries = 3
    private static let blocksBetweenStops = SearchScratch.rowsBetweenStops / QueryPanel.rowsAtOnce

    /// The nearest visible slots to each query, nearest first; nil where a panel does not serve them: too few queries, filters, another metric.
    /// O(queries * rows).
    ///
    /// - Throws: `CANCELLED` when any of them said so.
    static func answers(
        _ queries: [IndexQuery], _ space: VectorSpace, _ rows: VectorRows, _ visibility: Visibility
    ) throws(KithError) -> [[Neighbour]]? {
        guard queries.count >= fewestQueries, queries.allSatisfy({ $0.filter == nil }),
            let width = QueryPanel.width(space, rows)
        else { return nil }
        let distances = try SpaceDistance(space, rows: rows)
        var answers: [[Neighbour]] = []
        answers.reserveCapacity(queries.count)
        for first in stride(from: 0, to: queries.count, by: width) {
            let some = queries[first..<min(first + width, queries.count)]
            guard let panel = QueryPanel(some.map(\.vector), space, rows) else { return nil }
            answers += try scan(some.map { Place($0, distances) }, panel, visibility)
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
    }

    private static func scan(_ places: [Place], _ panel: QueryPanel, _ visibility: Visibility) throws(KithError) -> [[Neighbour]]
    {
        for (block, first) in stride(from: UInt32(0), to: visibility.bound, by: QueryPanel.rowsAtOnce).enumerated() {
            if block % blocksBetweenStops == 0, places.contains(where: { $0.query.shouldStop() }) { throw .searchCancelled }
            let count = min(QueryPanel.rowsAtOnce, Int(visibility.bound - first))
            panel.compare(from: first, count: count, limit: { places[$0].nearest.limitDistance }) { number, slot in
                let place = places[number]
                guard place.query.topK > 0, visibility.admits(slot) else { return }
                let rank = Rank(distance: place.distance.distance(to: slot), slot: slot)
                if place.nearest.wants(rank) { place.nearest.insert(rank) }
            }
        }
        return places.map { place in place.nearest.sorted().map { Rank(bits: $0).neighbour } }
    }
}
