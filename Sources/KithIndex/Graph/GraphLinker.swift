internal import CVectorKernels
internal import KithCore

/// Puts slots into a graph, a batch at a time: every node of a batch looks for its links in the graph as it was before,
/// and among the batch; then the links back are added, each list by one thread (after ParlayANN, Manohar et al., arXiv 2305.04359).
///
/// The outcome does not depend on the number of threads. Belongs to the one thread that links.
final class GraphLinker: @unchecked Sendable {
    /// Nodes linked together. Small, for they find one another by comparing all with all.
    static let batchSize = 256
    /// What a new node's share in the running mean of the spread is at least.
    private static let spreadShare: Float = 1 / 1_024

    private let rows: VectorRows
    private let deaths: SlotDeaths
    private let removed: RemovedSlots
    private let degree: Int
    private let forkJoin: ForkJoin
    private let choosers: [LinkChooser]
    private let components: UnsafeMutablePointer<Float>
    private var batch: [UInt32] = []
    /// By node of the batch: `degree` ranks, how many of them, and the spread (zero: unknown).
    private let chosen: UnsafeMutablePointer<UInt64>
    private let counts: UnsafeMutablePointer<Int>
    private let spreads: UnsafeMutablePointer<Float>

    init(
        _ context: IndexContext, _ parameters: GraphParameters, removed: RemovedSlots, forkJoin: ForkJoin,
        choosers: [LinkChooser]
    ) {
        rows = context.rows
        deaths = context.deaths
        self.removed = removed
        degree = parameters.degree
        self.forkJoin = forkJoin
        self.choosers = choosers
        components = .allocate(capacity: context.space.dimension)
        chosen = .allocate(capacity: Self.batchSize * parameters.degree)
        counts = .allocate(capacity: Self.batchSize)
        spreads = .allocate(capacity: Self.batchSize)
    }

    deinit {
        components.deallocate()
        chosen.deallocate()
        counts.deallocate()
        spreads.deallocate()
    }

    /// Told of a slot just before it is linked, by several workers at once.
    typealias Observer = @Sendable (_ slot: UInt32, _ worker: Int) -> Void

    /// Links at most `limit` slots below `end`, each after `willLink`; dead ones are passed over.
    func advance(
        _ graph: Graph, upTo end: UInt32, limit: Int, inHurry: Bool = false, willLink: @escaping Observer = { _, _ in }
    ) {
        var next = graph.linkedCount
        var left = limit
        while next < end, left > 0 {
            let first = next
            next = takeBatch(graph, from: next, to: end, limit: min(left, Self.batchSize))
            if next == first { return }
            if !batch.isEmpty {
                linkBatch(graph, among: batch, inHurry: inHurry, willLink)
                addBeacons(graph)
                if inHurry { graph.hurriedNodes += batch }
            }
            left -= batch.count
            graph.publish(linkedCount: next)
        }
    }

    /// Links at most `limit` of those anew that were linked in a hurry, the last first: of all nodes there
    /// are by now.
    func refine(_ graph: Graph, limit: Int) {
        var left = limit
        while left > 0, !graph.hurriedNodes.isEmpty {
            let nodes = graph.hurriedNodes.suffix(min(left, Self.batchSize))
            graph.hurriedNodes.removeLast(nodes.count)
            left -= nodes.count
            batch = nodes.filter { graph.isLiving($0, deaths) && !graph.leaving.contains($0) }
            if !batch.isEmpty { linkBatch(graph, among: [], inHurry: false) }
        }
    }

    /// Gives the next living slots their records; answers the first slot not looked at.
    private func takeBatch(_ graph: Graph, from first: UInt32, to end: UInt32, limit: Int) -> UInt32 {
        batch.removeAll(keepingCapacity: true)
        var slot = first
        while slot < end, batch.count < limit {
            if deaths.isDead(slot) {
                removed.note(slot)
                graph.leaveOut()
            } else {
                guard let node = graph.addNode(slot, row: rows.row(slot), components: components) else { break }
                batch.append(node)
            }
            slot += 1
        }
        return slot
    }

    /// Links the batch.
    ///
    /// - Parameter others: nodes that no walk finds yet.
    private func linkBatch(
        _ graph: Graph, among others: [UInt32], inHurry: Bool, _ willLink: @escaping Observer = { _, _ in }
    ) {
        let batch = batch
        forkJoin.run(batch.count, pieceSize: 4) { [self] worker, index in
            if let slot = graph.slot(of: batch[index]) { willLink(slot, worker) }
            let (count, spread) = choosers[worker].links(
                for: batch[index], in: graph, among: others, inHurry: inHurry, into: chosen + index * degree)
            counts[index] = count
            spreads[index] = spread ?? 0
        }
        for (index, node) in batch.enumerated() {
            let links = graph.links(of: node)
            for place in 0..<counts[index] { links.store(kith_rank_node(chosen[index * degree + place]), at: place) }
            links.truncate(to: counts[index])
        }
        addLinksBack(graph)
        noteSpreads(graph)
    }

    /// For every link of the batch one the other way: those to one node together, on one thread.
    private func addLinksBack(_ graph: Graph) {
        // The node linked to, then who links to it and how far it is: the index into `chosen`.
        var edges: [UInt64] = []
        edges.reserveCapacity(batch.count * degree)
        for index in batch.indices {
            for place in index * degree..<index * degree + counts[index] {
                edges.append(UInt64(kith_rank_node(chosen[place])) << 32 | UInt64(place))
            }
        }
        edges.sort()
        var starts: [Int] = []
        for index in edges.indices where index == 0 || edges[index] >> 32 != edges[index - 1] >> 32 { starts.append(index) }
        starts.append(edges.count)
        let sortedEdges = edges
        let groups = starts
        let batch = batch
        forkJoin.run(groups.count - 1, pieceSize: 32) { [self] worker, group in
            let range = groups[group]..<groups[group + 1]
            withUnsafeTemporaryAllocation(of: UInt64.self, capacity: range.count) { new in
                for (index, edge) in sortedEdges[range].enumerated() {
                    let place = Int(UInt32(truncatingIfNeeded: edge))
                    // A distance and whom it leads from.
                    new[index] = chosen[place] & ~0xFFFF_FFFF | UInt64(batch[place / degree]) << 1
                }
                let target = UInt32(sortedEdges[range.lowerBound] >> 32)
                choosers[worker].addLinks(from: target, to: UnsafeBufferPointer(new), in: graph)
            }
        }
    }

    private func noteSpreads(_ graph: Graph) {
        var mean = graph.spread
        let share = max(1 / Float(graph.nodeCount), Self.spreadShare)
        for index in batch.indices where spreads[index] > 0 {
            mean = mean == 0 ? spreads[index] : mean + (spreads[index] - mean) * share
        }
        graph.publish(spread: mean)
    }

    /// Beacons become more with the square root of the nodes, so that they stand for all times of the graph.
    private func addBeacons(_ graph: Graph) {
        for node in batch where graph.beacons.wantsMore(nodeCount: graph.nodeCount) {
            choosers[0].linkNewBeacon(graph.beacons.add(node), in: graph)
        }
    }
}
