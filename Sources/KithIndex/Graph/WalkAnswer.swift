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
    ) -> Int {
        scan.nearest.reset(limit: topK)
        switch Int(graph.records.pointee.code) {
        case KITH_CODE_FULL: return keepFound(wanted, of: graph, visibility)
        case _ where comparesAll: return keepRows(found.count, wanted, of: graph, distance, visibility)
        case KITH_CODE_SCALAR8: return keepRows(topK + topK / 8 + 2, wanted, of: graph, distance, visibility)
        default: return keepRows(3 * topK + 10, wanted, of: graph, distance, visibility)
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
    ) -> Int {
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
                compareRows(waiting, distance)
                waiting = 0
            }
        }
        compareRows(waiting, distance)
        return met
    }

    private func compareRows(_ count: Int, _ distance: QueryDistance) {
        distance.gather(scan.slots, count: count, into: scan.distances)
        for index in 0..<count {
            let rank = Rank(distance: scan.distances[index], slot: scan.slots[index])
            if scan.nearest.wants(rank) { scan.nearest.insert(rank) }
        }
    }
}
