internal import KithCore

/// Why a walk ended.
enum WalkEnd {
    /// Nothing nearer is left to expand.
    case complete
    case stopped
    /// It compared more rows than it was worth.
    case overBudget
}

/// The bounds of a walk.
struct WalkLimits {
    /// Candidates kept (`ef`).
    var width: Int
    /// Rows compared at most.
    var budget = Int.max
    /// What may be answered; nil: every node.
    var visibility: Visibility?
}

extension SearchScratch {
    /// Nodes expanded between two questions to `shouldStop`.
    static let expansionsBetweenStops = 256

    /// Walks from a node of layer `from` down to layer `to`, to the nearest node in each: algorithm 2 of the paper with
    /// one candidate.
    mutating func descend(_ graph: Graph, _ distance: QueryDistance, from entry: Graph.EntryPoint, to level: Int) -> Rank {
        var nearest = Rank(distance: distance.distance(to: entry.slot), slot: entry.slot)
        for layer in stride(from: entry.level, to: level, by: -1) {
            var improved = true
            while improved {
                improved = false
                let links = graph.links(of: nearest.slot, level: layer)
                var count = 0
                while let slot = links.slot(at: count) {
                    slots[count] = slot
                    count += 1
                }
                distance.gather(slots, count: count, into: distances)
                for index in 0..<count {
                    let rank = Rank(distance: distances[index], slot: slots[index])
                    if rank.bits < nearest.bits {
                        nearest = rank
                        improved = true
                    }
                }
            }
        }
        return nearest
    }

    /// Collects in `nearest` the nodes of a layer nearest to the query, from `start` on: algorithm 2 of the paper.
    ///
    /// Nodes that may not be answered are walked through all the same: the way to others leads over them.
    mutating func walk(
        _ graph: Graph, _ distance: QueryDistance, level: Int, from start: Rank, _ limits: WalkLimits,
        shouldStop: () -> Bool = { false }
    ) -> WalkEnd {
        visited.reset(count: Int(graph.linkedCount))
        candidates.removeAll()
        nearest.reset(limit: limits.width)

        _ = visited.insert(start.slot)
        candidates.push(~start.bits)
        if limits.visibility?.admits(start.slot) ?? true { nearest.insert(start) }
        var compared = 0
        var untilStop = SearchScratch.expansionsBetweenStops

        while !candidates.isEmpty {
            let candidate = Rank(bits: ~candidates.pop())
            if nearest.isFull, candidate.bits > nearest.farthest { break }
            untilStop -= 1
            if untilStop == 0 {
                if shouldStop() { return .stopped }
                untilStop = SearchScratch.expansionsBetweenStops
            }
            let links = graph.links(of: candidate.slot, level: level)
            var index = 0
            var count = 0
            while let slot = links.slot(at: index) {
                if visited.insert(slot) {
                    slots[count] = slot
                    count += 1
                }
                index += 1
            }
            distance.gather(slots, count: count, into: distances)
            for index in 0..<count {
                let rank = Rank(distance: distances[index], slot: slots[index])
                if nearest.wants(rank) {
                    candidates.push(~rank.bits)
                    if limits.visibility?.admits(rank.slot) ?? true { nearest.insert(rank) }
                }
            }
            compared += count
            if compared > limits.budget { return .overBudget }
        }
        return .complete
    }
}
