internal import KithCore

extension SearchScratch {
    /// Rows compared between two questions to `shouldStop`.
    static let rowsBetweenStops = 16_384

    /// Compares the query with every row of the range that matches, and keeps the visible ones that are near enough in `nearest`.
    ///
    /// - Parameter filter: the slots that may be answered; nil: all.
    /// - Throws: `CANCELLED` when `shouldStop` said so.
    mutating func scan(
        _ range: Range<UInt32>, _ distance: QueryDistance, _ visibility: Visibility, matching filter: SlotFilter?,
        shouldStop: () -> Bool
    ) throws(KithError) {
        guard let filter else { return try scan(range, distance, visibility, shouldStop: shouldStop) }
        if filter.isSparse(in: range) {
            return try scan(matches: filter, in: range, distance, visibility, shouldStop: shouldStop)
        }
        // It is asked of each row that is near enough.
        var visibility = visibility
        visibility.filter = filter.bits
        try scan(range, distance, visibility, shouldStop: shouldStop)
    }

    /// Compares the query with every row of the range.
    ///
    /// Distances first, block by block; visibility is asked only of rows that would be kept.
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

    /// Compares the query with the matches alone.
    private mutating func scan(
        matches filter: SlotFilter, in range: Range<UInt32>, _ distance: QueryDistance, _ visibility: Visibility,
        shouldStop: () -> Bool
    ) throws(KithError) {
        var cursor = filter.cursor(in: range)
        var passed = range.lowerBound
        var untilStop = SearchScratch.rowsBetweenStops
        while true {
            let count = cursor.next(into: slots, limit: SearchScratch.blockSize)
            if count == 0 { return }
            if untilStop <= 0 {
                if shouldStop() { throw .searchCancelled }
                untilStop = SearchScratch.rowsBetweenStops
            }
            distance.gather(slots, count: count, into: distances)
            distance.passed(passed..<slots[count - 1])
            passed = slots[count - 1]
            for index in 0..<count {
                let rank = Rank(distance: distances[index], slot: slots[index])
                if nearest.wants(rank), visibility.admits(rank.slot) { nearest.insert(rank) }
            }
            untilStop -= count
        }
    }

    /// What `nearest` holds, nearest first.
    mutating func answer() -> [Neighbour] { nearest.sorted().map { Rank(bits: $0).neighbour } }
}

extension KithError {
    static var searchCancelled: KithError { KithError(.cancelled, .cancelled, "the search was abandoned") }
}
