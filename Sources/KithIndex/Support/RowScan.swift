internal import KithCore

extension SearchScratch {
    /// Rows compared between two questions to `shouldStop`.
    static let rowsBetweenStops = 16_384

    /// Compares the query with every row of the range, and keeps the visible ones that are near enough in `nearest`.
    ///
    /// Distances first, block by block; visibility is asked only of rows that would be kept.
    ///
    /// - Throws: `CANCELLED` when `shouldStop` said so.
    mutating func scan(
        _ range: Range<UInt32>, _ distance: QueryDistance, _ visibility: Visibility, shouldStop: () -> Bool
    ) throws(KithError) {
        var first = range.lowerBound
        var untilStop = SearchScratch.rowsBetweenStops
        while first < range.upperBound {
            if untilStop <= 0 {
                if shouldStop() { throw .searchCancelled }
                untilStop = SearchScratch.rowsBetweenStops
            }
            let count = min(SearchScratch.blockSize, Int(range.upperBound - first))
            distance.scan(from: first, count: count, into: distances)
            for offset in 0..<count {
                let rank = Rank(distance: distances[offset], slot: first + UInt32(offset))
                if nearest.wants(rank), visibility.admits(rank.slot) { nearest.insert(rank) }
            }
            first += UInt32(count)
            untilStop -= count
        }
    }

    /// What `nearest` holds, nearest first.
    mutating func answer() -> [Neighbour] { nearest.sorted().map { Rank(bits: $0).neighbour } }
}

extension KithError {
    static var searchCancelled: KithError { KithError(.cancelled, .cancelled, "the search was abandoned") }
}
