#if canImport(Glibc)
    internal import Glibc
#endif
internal import CVectorKernels
internal import KithCore

/// Chooses links for nodes: one of these for each thread that links.
final class LinkChooser: @unchecked Sendable {
    let walk: GraphWalk
    private let deaths: SlotDeaths
    let window: Int
    /// Candidates kept where it has to be quick.
    private let hurriedWindow: Int
    let degree: Int
    private let alpha: Float
    private var room: kith_prune
    var ranks: [UInt64] = []
    /// Nodes that a repair has met around the one it links anew; empty between two.
    var met = BitSet()
    private let places: UnsafeMutablePointer<UInt32>
    let nodes: UnsafeMutablePointer<UInt32>
    let distances: UnsafeMutablePointer<Float>

    /// Candidates of one choice at most.
    let capacity: Int
    private static let fewestHurried = 32
    /// Of the found, the rank that `spread` compares the last with.
    private static let nearRank = 10

    init(_ context: IndexContext, _ parameters: GraphParameters) {
        let space = context.space
        walk = GraphWalk(context)
        deaths = context.deaths
        window = parameters.constructionWindow
        hurriedWindow = max(window / 2, min(window, Self.fewestHurried))
        degree = parameters.degree
        alpha = parameters.alpha(for: space.metric)
        capacity = max(window, GraphLinker.batchSize) + 4 * RecordLayout.mostLinks
        room = kith_prune(
            nodes: .allocate(capacity: capacity), places: .allocate(capacity: capacity), from_node: .allocate(capacity: capacity),
            ratios: .allocate(capacity: capacity), distances: .allocate(capacity: capacity),
            bytes: .allocate(capacity: kith_node_query_bytes(UInt8(KITH_CODE_SCALAR8), space.dimension)))
        places = .allocate(capacity: capacity)
        nodes = .allocate(capacity: capacity)
        distances = .allocate(capacity: capacity)
    }

    deinit {
        room.nodes.deallocate()
        room.places.deallocate()
        room.from_node.deallocate()
        room.ratios.deallocate()
        room.distances.deallocate()
        room.bytes.deallocate()
        places.deallocate()
        nodes.deallocate()
        distances.deallocate()
    }

    /// Links for a node, found by walking the graph and by comparing with `others`: ranks into `out`, which has room for
    /// `degree`. Also how distances spread around it (see `Graph.spread`), where enough was found to tell.
    ///
    /// - Parameters:
    ///   - others: no more than a batch, the node itself perhaps among them.
    ///   - inHurry: half as many links, of half as many candidates, from half of which the walk goes on: less than half the work.
    func links(
        for node: UInt32, in graph: Graph, among others: [UInt32], inHurry: Bool, into out: UnsafeMutablePointer<UInt64>
    ) -> (count: Int, spread: Float?) {
        let window = inHurry ? hurriedWindow : window
        walk.setQuery(node: node, of: graph)
        ranks.removeAll(keepingCapacity: true)
        if inHurry {
            findInHurry(window, in: graph)
        } else if (try? walk.run(graph, WalkBounds(window: window))) == true {
            // A walk without a stop or a budget always completes.
            ranks.append(contentsOf: walk.found.lazy.map { $0 & ~1 })
        }
        let spread = inHurry ? nil : LinkChooser.spread(ranks)
        let farthest = ranks.count < window ? UInt64.max : ranks[ranks.count - 1]
        for (index, other) in others.enumerated() { nodes[index] = other }
        walk.distances(nodes, count: others.count, of: graph, into: distances)
        for (index, other) in others.enumerated() {
            let rank = kith_rank(distances[index], other)
            if rank < farthest { ranks.append(rank) }
        }
        ranks.removeAll { kith_rank_node($0) == node }
        ranks.sort()
        preferLiving(in: graph)
        scatterCopies(of: node, in: graph)
        if ranks.count > max(window, degree) { ranks.removeLast(ranks.count - max(window, degree)) }
        return (prune(keeping: 0, to: inHurry ? degree / 2 : degree, in: graph, into: out), spread)
    }

    /// Makes `ranks` the nearest of those that a walk compares, which goes on from the nearer half of them alone.
    private func findInHurry(_ window: Int, in graph: Graph) {
        walk.beginStages(graph, within: WalkBounds(window: window))
        guard (try? walk.runStage(graph, WalkBounds(window: window / 2), budget: .max)) == true else { return }
        ranks.append(contentsOf: walk.kept.lazy.map { $0 & ~1 })
    }

    /// Adds links from `target` to the nodes of `new`; a list that cannot take them is pruned.
    func addLinks(from target: UInt32, to new: UnsafeBufferPointer<UInt64>, in graph: Graph) {
        let links = graph.links(of: target)
        let count = links.count
        if !links.endsSoundly(after: count) { graph.noteDamage() }
        if count + new.count <= links.capacity {
            var end = count
            for rank in new where !links.contains(kith_rank_node(rank)) {
                links.store(kith_rank_node(rank), at: end)
                end += 1
            }
            return
        }
        for index in 0..<count { nodes[index] = links.node(at: index) ?? target }
        walk.setQuery(node: target, of: graph)
        walk.distances(nodes, count: count, of: graph, into: distances)
        ranks.removeAll(keepingCapacity: true)
        ranks.append(contentsOf: ranked(0..<count))
        for rank in new where !links.contains(kith_rank_node(rank)) { ranks.append(rank) }
        ranks.sort()
        scatterCopies(of: target, in: graph)
        replaceLinks(of: target, links, keeping: 0, to: degree, in: graph)
    }

    /// The ranks of a range of `nodes`, whose distances are known.
    func ranked(_ range: Range<Int>) -> some Collection<UInt64> {
        range.lazy.map { [nodes, distances] in kith_rank(distances[$0], nodes[$0]) }
    }

    /// Makes `ranks`, of which the first `kept` stand, a node's links, at most `limit`.
    func replaceLinks(of node: UInt32, _ links: NodeLinks, keeping kept: Int, to limit: Int, in graph: Graph) {
        if ranks.count > capacity { ranks.removeLast(ranks.count - capacity) }
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: links.capacity) { chosen in
            guard let start = chosen.baseAddress else { return }
            let count = prune(keeping: kept, to: min(limit, links.capacity), in: graph, into: start)
            for index in 0..<count { links.store(kith_rank_node(start[index]), at: index) }
            links.truncate(to: count)
        }
    }

    /// Chooses at most `limit` of `ranks` as links of the walk's query, the first `kept` among them.
    private func prune(keeping kept: Int, to limit: Int, in graph: Graph, into out: UnsafeMutablePointer<UInt64>) -> Int {
        let count = kith_prune_links(
            &room, graph.records, ranks, ranks.count, kept, limit, alpha, walk.query.square, places)
        for index in 0..<count { out[index] = ranks[Int(places[index])] }
        return count
    }

    // MARK: Beacons

    /// Links a beacon with others, both ways.
    func linkNewBeacon(_ index: Int, in graph: Graph) {
        linkBeacon(index, in: graph)
        let links = graph.beacons.links(of: index)
        var place = 0
        while let other = links.node(at: place) {
            place += 1
            let back = graph.beacons.links(of: Int(other))
            let count = back.count
            if count < back.capacity {
                back.store(UInt32(index), at: count)
            } else {
                let all = (0..<count).compactMap(back.node(at:)).map(Int.init) + [index]
                chooseLinks(ofBeacon: Int(other), among: all, in: graph)
            }
        }
    }

    /// Links a beacon to the nearest of the others, in many directions. O(beacons).
    func linkBeacon(_ index: Int, in graph: Graph) {
        chooseLinks(ofBeacon: index, among: graph.beacons.present.filter { $0 != index }, in: graph)
    }

    private func chooseLinks(ofBeacon index: Int, among others: [Int], in graph: Graph) {
        guard let node = graph.beacons.node(at: index) else { return }
        walk.setQuery(node: node, of: graph)
        // By beacon, since one node tells from which beacon it is only the long way.
        var near: [UInt64] = []
        for start in stride(from: 0, to: others.count, by: capacity) {
            let part = others[start..<min(start + capacity, others.count)]
            var filled = 0
            for other in part {
                // Present, and only the thread that runs this changes that.
                nodes[filled] = graph.beacons.node(at: other) ?? node
                filled += 1
            }
            walk.distances(nodes, count: filled, of: graph, into: distances)
            for (place, other) in part.enumerated() { near.append(kith_rank(distances[place], UInt32(other))) }
        }
        near.sort()
        if near.count > window { near.removeLast(near.count - window) }
        ranks = near.map { kith_rank(kith_rank_distance($0), graph.beacons.node(at: Int(kith_rank_node($0))) ?? node) }
        let count = kith_prune_links(
            &room, graph.records, ranks, ranks.count, 0, Beacons.linkCount, alpha, walk.query.square, places)
        let links = graph.beacons.links(of: index)
        for place in 0..<count { links.store(kith_rank_node(near[Int(places[place])]), at: place) }
        links.truncate(to: count)
    }

    /// Links to the dead are wasted, but better than none.
    func preferLiving(in graph: Graph) {
        func isLiving(_ rank: UInt64) -> Bool { graph.isLiving(kith_rank_node(rank), deaths) }
        if ranks.contains(where: isLiving) {
            ranks.removeAll { !isLiving($0) }
        } else {
            ranks.removeAll { graph.leaving.contains(kith_rank_node($0)) }
        }
    }

    /// Of many copies of the node itself, which is the walk's query, lets half a list stand, drawn by a hash: so that all of them
    /// are linked with some, and with the world.
    func scatterCopies(of node: UInt32, in graph: Graph) {
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
