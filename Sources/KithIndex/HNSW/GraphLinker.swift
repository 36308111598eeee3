internal import KithCore

/// Puts slots into a graph: algorithms 1 and 4 of Malkov and Yashunin, "Efficient and robust approximate nearest neighbor
/// search using Hierarchical Navigable Small World graphs" (arXiv 1603.09320).
///
/// Belongs to the one thread that links.
final class GraphLinker {
    private let space: SpaceDistance
    private let deaths: SlotDeaths
    private let efConstruction: Int
    private var scratch = SearchScratch()
    /// Candidates of one choice, nearest first, and what was chosen of them.
    private var ranks: [Rank] = []
    private var chosen: [Rank] = []

    init(space: SpaceDistance, deaths: SlotDeaths, efConstruction: Int) {
        self.space = space
        self.deaths = deaths
        self.efConstruction = efConstruction
    }

    /// Links at most `limit` slots below `end`, each after `willLink`; dead ones are passed over.
    func advance(_ graph: Graph, upTo end: UInt32, limit: Int, willLink: (_ slot: UInt32) -> Void = { _ in }) {
        var next = graph.linkedCount
        var left = limit
        while next < end, left > 0 {
            if !deaths.isDead(next) {
                willLink(next)
                link(next, in: graph)
                left -= 1
            }
            next += 1
            graph.publish(linkedCount: next)
        }
    }

    private func link(_ slot: UInt32, in graph: Graph) {
        let level = graph.addNode(slot)
        guard let entry = graph.entryPoint else {
            graph.publish(entryPoint: Graph.EntryPoint(slot: slot, level: level))
            return
        }

        // 1. Its own links in every layer, so that whoever arrives finds a way on.
        let distance = space.query(slot: slot)
        let highest = min(level, entry.level)
        var nearest = scratch.descend(graph, distance, from: entry, to: highest)
        for layer in stride(from: highest, through: 0, by: -1) {
            _ = scratch.walk(graph, distance, level: layer, from: nearest, WalkLimits(width: efConstruction))
            takeCandidates()
            nearest = ranks[0]
            preferLiving()
            choose(atMost: layer == 0 ? 2 * graph.m : graph.m)
            store(in: graph.links(of: slot, level: layer))
        }

        // 2. Links back to it.
        for layer in stride(from: highest, through: 0, by: -1) {
            let links = graph.links(of: slot, level: layer)
            var index = 0
            while let neighbour = links.slot(at: index) {
                let new = Rank(distance: distance.distance(to: neighbour), slot: slot)
                connect(neighbour, to: new, distance, level: layer, in: graph)
                index += 1
            }
        }
        if level > entry.level { graph.publish(entryPoint: Graph.EntryPoint(slot: slot, level: level)) }
    }

    private func takeCandidates() {
        ranks.removeAll(keepingCapacity: true)
        for bits in scratch.nearest.sorted() { ranks.append(Rank(bits: bits)) }
    }

    /// Links to the dead are wasted, but better than none.
    private func preferLiving() {
        if ranks.contains(where: { !deaths.isDead($0.slot) }) { ranks.removeAll { deaths.isDead($0.slot) } }
    }

    /// Adds a link from `slot` to the new node. A full list makes room as algorithm 4 would, had it chosen the others before:
    /// the new link is dropped if it is nearer to a nearer link than to the node, else it displaces those that are nearer to
    /// it than to the node, or the farthest.
    private func connect(_ slot: UInt32, to new: Rank, _ fromNew: QueryDistance, level: Int, in graph: Graph) {
        let links = graph.links(of: slot, level: level)
        let count = links.count
        if count < links.capacity {
            links.store(new.slot, at: count)
            return
        }
        for index in 0..<count { scratch.slots[index] = links.slot(at: index) ?? slot }
        let toNode = scratch.distances
        let toNew = scratch.distances + links.capacity
        space.query(slot: slot).gather(scratch.slots, count: count, into: toNode)
        fromNew.gather(scratch.slots, count: count, into: toNew)
        chosen.removeAll(keepingCapacity: true)
        var farthest = new
        for index in 0..<count {
            let rank = Rank(distance: toNode[index], slot: scratch.slots[index])
            if rank.bits < new.bits {
                if toNew[index] < new.distance { return }
            } else if toNew[index] < rank.distance {
                continue
            }
            chosen.append(rank)
            if rank.bits > farthest.bits { farthest = rank }
        }
        chosen.append(new)
        if chosen.count > links.capacity { chosen.removeAll { $0 == farthest } }
        store(in: links)
    }

    /// Algorithm 4: goes through `ranks` and leaves out each that is nearer to one already chosen than to the node itself,
    /// so that links point in many directions.
    private func choose(atMost limit: Int) {
        chosen.removeAll(keepingCapacity: true)
        for rank in ranks {
            if chosen.count == limit { break }
            if isDiverse(rank) { chosen.append(rank) }
        }
    }

    private func isDiverse(_ rank: Rank) -> Bool {
        if chosen.isEmpty { return true }
        let candidate = space.query(slot: rank.slot)
        let distance = rank.distance
        for other in chosen where candidate.distance(to: other.slot) < distance { return false }
        return true
    }

    private func store(in links: Graph.Links) {
        for (index, rank) in chosen.enumerated() { links.store(rank.slot, at: index) }
        links.truncate(to: chosen.count)
    }
}
