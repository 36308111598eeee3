#if canImport(Glibc)
    internal import Glibc
#endif
internal import CVectorKernels
internal import KithCore

/// Chooses links for nodes: one of these for each thread that links.
final class LinkChooser: @unchecked Sendable {
    private let walk: GraphWalk
    private let deaths: SlotDeaths
    private let window: Int
    private let degree: Int
    private let alpha: Float
    private var room: kith_prune
    private var ranks: [UInt64] = []
    private let places: UnsafeMutablePointer<UInt32>
    private let nodes: UnsafeMutablePointer<UInt32>
    private let distances: UnsafeMutablePointer<Float>

    /// Candidates of one choice at most.
    private let capacity: Int
    /// Of the found, the rank that `spread` compares the last with.
    private static let nearRank = 10

    init(_ context: IndexContext, _ parameters: GraphParameters) {
        let space = context.space
        walk = GraphWalk(context)
        deaths = context.deaths
        window = parameters.constructionWindow
        degree = parameters.degree
        alpha = parameters.alpha(for: space.metric)
        capacity = max(window, GraphLinker.batchSize) + 4 * RecordLayout.mostLinks
        room = kith_prune(
            nodes: .allocate(capacity: capacity), left: .allocate(capacity: capacity), places: .allocate(capacity: capacity),
            ratios: .allocate(capacity: capacity), distances: .allocate(capacity: capacity),
            bytes: .allocate(capacity: kith_node_query_bytes(UInt8(KITH_CODE_SCALAR8), space.dimension)))
        places = .allocate(capacity: capacity)
        nodes = .allocate(capacity: capacity)
        distances = .allocate(capacity: capacity)
    }

    deinit {
        room.nodes.deallocate()
        room.left.deallocate()
        room.places.deallocate()
        room.ratios.deallocate()
        room.distances.deallocate()
        room.bytes.deallocate()
        places.deallocate()
        nodes.deallocate()
        distances.deallocate()
    }

    /// Links for a new node, found by walking the graph and by comparing with its batch: ranks into `out`, which has room for
    /// `degree`. Also how distances spread around it (see `Graph.spread`), where enough was found to tell.
    func links(
        for node: UInt32, in graph: Graph, batch: [UInt32], into out: UnsafeMutablePointer<UInt64>
    ) -> (count: Int, spread: Float?) {
        walk.setQuery(node: node, of: graph)
        ranks.removeAll(keepingCapacity: true)
        var spread: Float?
        // A walk without a stop or a budget always completes.
        if (try? walk.run(graph, WalkBounds(window: window))) == true {
            for rank in walk.found { ranks.append(rank & ~1) }
            spread = LinkChooser.spread(ranks)
        }
        let farthest = ranks.count < window ? UInt64.max : ranks[ranks.count - 1]
        for (index, other) in batch.enumerated() { nodes[index] = other }
        walk.distances(nodes, count: batch.count, of: graph, into: distances)
        for (index, other) in batch.enumerated() where other != node {
            let rank = kith_rank(distances[index], other)
            if rank < farthest { ranks.append(rank) }
        }
        ranks.sort()
        preferLiving(in: graph)
        scatterCopies(of: node, in: graph)
        if ranks.count > max(window, degree) { ranks.removeLast(ranks.count - max(window, degree)) }
        return (prune(in: graph, into: out), spread)
    }

    /// Adds links from `target` to the nodes of `new`; a list that cannot take them is pruned.
    func addLinks(from target: UInt32, to new: UnsafeBufferPointer<UInt64>, in graph: Graph) {
        let links = graph.links(of: target)
        let count = links.count
        if count + new.count <= links.capacity {
            var end = count
            for rank in new where !links.contains(kith_rank_node(rank)) {
                links.store(kith_rank_node(rank), at: end)
                end += 1
            }
            return
        }
        ranks.removeAll(keepingCapacity: true)
        for index in 0..<count { nodes[index] = links.node(at: index) ?? target }
        walk.setQuery(node: target, of: graph)
        walk.distances(nodes, count: count, of: graph, into: distances)
        for index in 0..<count { ranks.append(kith_rank(distances[index], nodes[index])) }
        for rank in new where !links.contains(kith_rank_node(rank)) { ranks.append(rank) }
        replaceLinks(of: target, links, in: graph)
    }

    /// Gives a node that links to some who leave links to those they link to, in their stead.
    func relink(_ node: UInt32, in graph: Graph) {
        let links = graph.links(of: node)
        var count = 0
        var leaving = 0
        while let other = links.node(at: count) {
            nodes[count] = other
            if graph.leaving.contains(other) { leaving += 1 }
            count += 1
        }
        if leaving == 0 { return }
        var candidates: [UInt32] = []
        for index in 0..<count {
            guard graph.leaving.contains(nodes[index]) else {
                candidates.append(nodes[index])
                continue
            }
            let onward = graph.links(of: nodes[index])
            var place = 0
            while let other = onward.node(at: place) {
                if other != node, !graph.leaving.contains(other) { candidates.append(other) }
                place += 1
            }
        }
        walk.setQuery(node: node, of: graph)
        ranks.removeAll(keepingCapacity: true)
        if candidates.count < degree / 2, (try? walk.run(graph, WalkBounds(window: window))) == true {
            for rank in walk.found where kith_rank_node(rank) != node { candidates.append(kith_rank_node(rank)) }
        }
        candidates.sort()
        for start in stride(from: 0, to: candidates.count, by: capacity) {
            let part = candidates[start..<min(start + capacity, candidates.count)]
            for (index, other) in part.enumerated() { nodes[index] = other }
            walk.distances(nodes, count: part.count, of: graph, into: distances)
            for (index, other) in part.enumerated() where index == 0 || other != nodes[index - 1] {
                ranks.append(kith_rank(distances[index], other))
            }
        }
        ranks.sort()
        preferLiving(in: graph)
        if ranks.count > window { ranks.removeLast(ranks.count - window) }
        replaceLinks(of: node, links, in: graph)
    }

    /// Makes `ranks` a node's links, pruned to what a list shall have.
    private func replaceLinks(of node: UInt32, _ links: NodeLinks, in graph: Graph) {
        ranks.sort()
        scatterCopies(of: node, in: graph)
        if ranks.count > capacity { ranks.removeLast(ranks.count - capacity) }
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: degree) { chosen in
            guard let start = chosen.baseAddress else { return }
            let count = prune(in: graph, into: start)
            for index in 0..<count { links.store(kith_rank_node(start[index]), at: index) }
            links.truncate(to: count)
        }
    }

    private func prune(in graph: Graph, into out: UnsafeMutablePointer<UInt64>) -> Int {
        let count = kith_prune_links(&room, graph.records, ranks, ranks.count, degree, alpha, walk.query.square, places)
        for index in 0..<count { out[index] = ranks[Int(places[index])] }
        return count
    }

    /// Links to the dead are wasted, but better than none.
    private func preferLiving(in graph: Graph) {
        func isLiving(_ rank: UInt64) -> Bool {
            graph.slot(of: kith_rank_node(rank)).map { !deaths.isDead($0) } ?? false
        }
        if ranks.contains(where: isLiving) {
            ranks.removeAll { !isLiving($0) }
        } else {
            ranks.removeAll { graph.leaving.contains(kith_rank_node($0)) }
        }
    }

    /// Of many copies of the node itself, which is the walk's query, lets half a list stand, drawn by a hash: so that all of them
    /// are linked with some, and with the world.
    private func scatterCopies(of node: UInt32, in graph: Graph) {
        let same = walk.rounding(of: graph)
        guard ranks.count > degree / 2, kith_rank_distance(ranks[degree / 2]) <= same else { return }
        let copies = ranks.prefix { kith_rank_distance($0) <= same }
        let drawn = copies.sorted { mixBits(UInt64(node) << 32 ^ $0) < mixBits(UInt64(node) << 32 ^ $1) }.prefix(degree / 2)
        ranks.replaceSubrange(..<copies.endIndex, with: drawn.sorted())
    }

    private static func spread(_ ranks: [UInt64]) -> Float? {
        guard ranks.count >= 4 * nearRank, let last = ranks.last else { return nil }
        let near = kith_rank_distance(ranks[nearRank - 1])
        let far = kith_rank_distance(last)
        guard near > 0, far > near else { return nil }
        return log(far / near) / log(Float(ranks.count) / Float(nearRank))
    }
}
