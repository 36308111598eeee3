internal import CVectorKernels
internal import KithCore

extension GraphWalk {
    /// Compares the query with everything in the tail that matches, and keeps the visible ones that are near enough in `scan.nearest`: exactly, though over codes
    /// where there are some, for rows that their codes cannot rule out are compared themselves. Ends what was found of a graph.
    ///
    /// - Throws: `CANCELLED` when the query's `shouldStop` said so.
    func scanTail(
        _ tail: Range<UInt32>, _ query: IndexQuery, _ codes: TailCodes?, _ distance: QueryDistance, _ visibility: Visibility
    ) throws(KithError) {
        func scanRows(_ range: Range<UInt32>) throws(KithError) {
            try scan.scan(range, distance, visibility, matching: query.filter, shouldStop: query.shouldStop)
        }
        guard let codes, !tail.isEmpty, query.filter?.isSparse(in: tail) != true else { return try scanRows(tail) }
        let encoded = codes.encoded(in: tail)
        try scanRows(tail.lowerBound..<encoded.lowerBound)
        setQuery(query.vector, of: codes)
        var visibility = visibility
        visibility.filter = query.filter?.bits
        var first = encoded.lowerBound
        while first < encoded.upperBound {
            if query.shouldStop() { throw .searchCancelled }
            let end = min(first + UInt32(SearchScratch.blockSize), encoded.upperBound)
            scanBlock(first..<end, codes, distance, visibility)
            first = end
        }
        try scanRows(encoded.upperBound..<tail.upperBound)
    }

    private func scanBlock(
        _ block: Range<UInt32>, _ codes: TailCodes, _ distance: QueryDistance, _ visibility: Visibility
    ) {
        for (index, slot) in block.enumerated() { scan.slots[index] = TailCodes.place(of: slot) }
        leastDistances(scan.slots, count: block.count, of: codes, into: scan.distances)
        for (index, slot) in block.enumerated() {
            // Written so that NaN, which an overflow brings, is compared too.
            if scan.nearest.isFull, scan.distances[index] > Rank(bits: scan.nearest.farthest).distance { continue }
            guard visibility.admits(slot) else { continue }
            let rank = Rank(distance: distance.distance(to: slot), slot: slot)
            if scan.nearest.wants(rank) { scan.nearest.insert(rank) }
        }
    }
}
