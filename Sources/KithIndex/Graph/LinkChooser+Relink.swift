internal import CVectorKernels
internal import KithCore

/// Links in place of those to nodes that leave.
extension LinkChooser {
    /// Candidates that pruning chooses from, for each link in whose place it is to choose one, and at least.
    private static let candidatesPerLink = 8
    private static let fewestCandidates = 32

    /// Gives a node that links to some who leave links to those they link to, in their stead: as many, or more where it has few. Its
    /// other links stay (after IP-DiskANN, Xu et al., arXiv 2502.13826); pruned together with the new ones, lists would grow shorter,
    /// for they hold more than pruning leaves.
    func relink(_ node: UInt32, in graph: Graph) {
        let links = graph.links(of: node)
        let count = links.count
        if !links.endsSoundly(after: count) { graph.noteDamage() }
        let leaving = graph.leaving
        let staying = gatherStaying(links, leaving: leaving, in: graph)
        if staying == count { return }
        walk.setQuery(node: node, of: graph)
        let end = gatherOnward(from: links, of: node, after: staying, leaving: leaving, in: graph)
        walk.distances(nodes, count: end, of: graph, into: distances)

        let limit = max(count, degree)
        rankNearest(staying..<end, limit: max((limit - staying) * Self.candidatesPerLink, Self.fewestCandidates))
        preferLiving(in: graph)
        scatterCopies(of: node, in: graph)
        ranks.insert(contentsOf: ranked(0..<staying), at: 0)
        replaceLinks(of: node, links, keeping: staying, to: limit, in: graph)
    }

    /// Makes `nodes` begin with those of a list that stay; answers how many.
    private func gatherStaying(_ links: NodeLinks, leaving: BitSet, in graph: Graph) -> Int {
        var staying = 0
        var index = 0
        while let other = links.node(at: index) {
            index += 1
            if leaving.contains(other) {
                graph.fetchLinks(of: other)
            } else {
                nodes[staying] = other
                staying += 1
            }
        }
        return staying
    }

    /// Puts after the first `staying` of `nodes` whom those of a node's list that leave link to, each once, and where these are few
    /// whom a walk finds; answers where they end.
    private func gatherOnward(
        from links: NodeLinks, of node: UInt32, after staying: Int, leaving: BitSet, in graph: Graph
    ) -> Int {
        var end = staying
        met.insert(node)
        for index in 0..<staying { met.insert(nodes[index]) }
        var index = 0
        while let leaver = links.node(at: index) {
            index += 1
            if leaving.contains(leaver) { appendNew(graph.links(of: leaver), at: &end, &met, leaving: leaving, in: graph) }
        }
        if end < degree / 2, (try? walk.run(graph, WalkBounds(window: window))) == true {
            for rank in walk.found where met.insert(kith_rank_node(rank)) {
                nodes[end] = kith_rank_node(rank)
                end += 1
            }
        }
        met.remove(node)
        for index in 0..<end { met.remove(nodes[index]) }
        return end
    }

    /// Adds to `nodes` those of a list that stay and were not met before, as far as there is room.
    private func appendNew(_ links: NodeLinks, at end: inout Int, _ met: inout BitSet, leaving: BitSet, in graph: Graph) {
        var index = 0
        while end < capacity, let other = links.node(at: index) {
            index += 1
            if !leaving.contains(other), met.insert(other) {
                graph.fetchCode(of: other)
                nodes[end] = other
                end += 1
            }
        }
    }

    /// Makes `ranks` those of the nearest of a range of `nodes`, nearest first.
    private func rankNearest(_ range: Range<Int>, limit: Int) {
        ranks.removeAll(keepingCapacity: true)
        ranks.append(contentsOf: ranked(range))
        ranks.sort()
        if ranks.count > limit { ranks.removeLast(ranks.count - limit) }
    }
}
