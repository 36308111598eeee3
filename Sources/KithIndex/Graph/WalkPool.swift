internal import CVectorKernels
internal import KithCore
internal import Synchronization

/// Lends walks to searches; keeps at most `Limits.searchScratches`.
final class WalkPool: Sendable {
    private let dimension: Int
    private let free = Mutex<[ProximityWalk]>([])

    init(dimension: Int) { self.dimension = dimension }

    func withWalk<Result>(_ body: (ProximityWalk) throws(KithError) -> Result) throws(KithError) -> Result {
        let walk = free.withLock { $0.popLast() } ?? ProximityWalk(dimension: dimension)
        defer {
            free.withLock { walks in
                if walks.count < Limits.searchScratches { walks.append(walk) }
            }
        }
        return try body(walk)
    }
}

extension ProximityWalk {
    /// Collects in `scan.nearest` the visible slots nearest to the query among those found. Codes that only resemble their rows
    /// order them roughly: some more than wanted are compared with their rows.
    func keepNearest(_ topK: Int, of graph: ProximityGraph, _ distance: QueryDistance, _ visibility: Visibility) {
        scan.nearest.reset(limit: topK)
        let code = Int32(graph.records.pointee.code)
        if code == KITH_CODE_FULL { return keepFound(topK, of: graph, visibility) }
        var left = code == KITH_CODE_SCALAR8 ? topK + topK / 4 + 4 : 3 * topK + 10
        var count = 0
        for rank in found {
            guard left > 0 else { break }
            guard let slot = graph.slot(of: kith_rank_node(rank)), visibility.admits(slot) else { continue }
            scan.slots[count] = slot
            count += 1
            left -= 1
            if count == SearchScratch.blockSize { keepRows(&count, distance) }
        }
        keepRows(&count, distance)
    }

    private func keepFound(_ topK: Int, of graph: ProximityGraph, _ visibility: Visibility) {
        for rank in found {
            guard let slot = graph.slot(of: kith_rank_node(rank)), visibility.admits(slot) else { continue }
            let rank = Rank(distance: kith_rank_distance(rank), slot: slot)
            // Nodes at one distance are in the order of nodes, not of slots: the last must not be cut off too early.
            if scan.nearest.isFull, rank.distance > Rank(bits: scan.nearest.farthest).distance { break }
            if scan.nearest.wants(rank) { scan.nearest.insert(rank) }
        }
    }

    private func keepRows(_ count: inout Int, _ distance: QueryDistance) {
        distance.gather(scan.slots, count: count, into: scan.distances)
        for index in 0..<count {
            let rank = Rank(distance: scan.distances[index], slot: scan.slots[index])
            if scan.nearest.wants(rank) { scan.nearest.insert(rank) }
        }
        count = 0
    }
}
