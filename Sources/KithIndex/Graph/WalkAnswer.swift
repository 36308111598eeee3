internal import CVectorKernels
internal import KithCore

extension GraphWalk {
    /// Collects in `scan.nearest` the visible slots nearest to the query among those found, and answers how many visible ones it met
    /// before it had enough.
    ///
    /// Codes that only resemble their rows order them roughly: some more than `topK` are compared with their rows.
    ///
    /// - Parameters:
    ///   - wanted: how many visible ones are enough.
    ///   - comparesAll: rows are compared in another way than codes: all found are compared.
    func keepNearest(
        _ topK: Int, wanted: Int, of graph: Graph, _ distance: QueryDistance, _ visibility: Visibility,
        comparesAll: Bool
    ) throws(KithError) -> Int {
        scan.nearest.reset(limit: topK)
        prefetchDeaths(wanted, of: graph, visibility.deaths)
        switch Int(graph.records.pointee.code) {
        case KITH_CODE_FULL: return keepFound(wanted, of: graph, visibility)
        case _ where comparesAll: return try keepRows(found.count, wanted, of: graph, distance, visibility)
        case KITH_CODE_SCALAR8: return try keepRows(topK + topK / 8 + 2, wanted, of: graph, distance, visibility)
        default: return try keepRows(3 * topK + 10, wanted, of: graph, distance, visibility)
        }
    }

    /// Of the nearest that many: each alone would be waited for.
    private func prefetchDeaths(_ count: Int, of graph: Graph, _ deaths: SlotDeaths) {
        for rank in found.prefix(count) {
            if let slot = graph.slot(of: kith_rank_node(rank)) { deaths.prefetch(slot) }
        }
    }

    /// The distances of full codes are those of the rows.
    private func keepFound(_ wanted: Int, of graph: Graph, _ visibility: Visibility) -> Int {
        var met = 0
        for rank in found {
            guard let slot = graph.slot(of: kith_rank_node(rank)), visibility.admits(slot) else { continue }
            met += 1
            let rank = Rank(distance: kith_rank_distance(rank), slot: slot)
            if scan.nearest.wants(rank) {
                scan.nearest.insert(rank)
            } else if met >= wanted, rank.distance > Rank(bits: scan.nearest.farthest).distance {
                // Not before: nodes at one distance come in the order of nodes, not of slots.
                break
            }
        }
        return met
    }

    private func keepRows(
        _ limit: Int, _ wanted: Int, of graph: Graph, _ distance: QueryDistance, _ visibility: Visibility
    ) throws(KithError) -> Int {
        var met = 0
        var waiting = 0
        for rank in found {
            if met >= max(limit, wanted) { break }
            guard let slot = graph.slot(of: kith_rank_node(rank)), visibility.admits(slot) else { continue }
            met += 1
            if met > limit { continue }
            scan.slots[waiting] = slot
            waiting += 1
            if waiting == SearchScratch.blockSize {
                try compareRows(waiting, distance)
                waiting = 0
            }
        }
        try compareRows(waiting, distance)
        return met
    }

    private func compareRows(_ count: Int, _ distance: QueryDistance) throws(KithError) {
        try rows.compare(scan.slots, count: count, distance, into: scan.distances)
        for index in 0..<count {
            let rank = Rank(distance: scan.distances[index], slot: scan.slots[index])
            if scan.nearest.wants(rank) { scan.nearest.insert(rank) }
        }
    }
}
