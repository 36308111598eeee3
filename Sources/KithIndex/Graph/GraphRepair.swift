internal import KithCore

/// Takes the dead out of a graph in place, a piece a call, beside searches: nodes that link to them get links to those they linked to
/// instead, and their records are used again (consolidation as in FreshDiskANN, Singh et al., arXiv 2105.09613).
///
/// Belongs to the one thread that links.
final class GraphRepair: @unchecked Sendable {
    private enum Phase {
        case idle
        /// Gathers who is to leave; the next node to look at.
        case marking(UInt32)
        /// Links around them; the next node.
        case relinking(UInt32)
        /// Waits until no search can stand on one of them, for so many more epochs.
        case draining(Int)
    }

    /// Nodes looked at, and nodes relinked, for each slot that a call may link.
    private static let markedPerSlot: UInt32 = 64
    private static let relinkedPerSlot: UInt32 = 8
    /// Nodes looked at for one that can be a beacon in another's place.
    private static let draws: UInt64 = 32

    private let deaths: SlotDeaths
    private let removed: RemovedSlots
    private let epochs: ReaderEpochs
    private let forkJoin: ForkJoin
    private let choosers: [LinkChooser]
    private var phase = Phase.idle

    init(
        _ context: IndexContext, removed: RemovedSlots, epochs: ReaderEpochs, forkJoin: ForkJoin, choosers: [LinkChooser]
    ) {
        deaths = context.deaths
        self.removed = removed
        self.epochs = epochs
        self.forkJoin = forkJoin
        self.choosers = choosers
    }

    /// Whether it has begun and not ended; what only waits for searches is no work.
    var isUnderway: Bool {
        switch phase {
        case .idle, .draining: false
        case .marking, .relinking: true
        }
    }

    /// Begins, unless it has.
    func begin() {
        if case .idle = phase { phase = .marking(0) }
    }

    /// Forgets what it was doing: the graph was replaced.
    func reset() { phase = .idle }

    func advance(_ graph: Graph, limit: Int) {
        let limit = UInt32(clamping: limit)
        switch phase {
        case .idle: break
        case .marking(let next):
            let end = min(graph.nodeCount, next + Self.markedPerSlot * limit)
            mark(next..<end, in: graph)
            phase = end < graph.nodeCount ? .marking(end) : .relinking(0)
        case .relinking(let next):
            let end = min(graph.nodeCount, next + Self.relinkedPerSlot * limit)
            relink(next..<end, in: graph)
            phase = end < graph.nodeCount ? .relinking(end) : .draining(2)
            if case .draining = phase { retire(graph) }
        case .draining: break
        }
        while case .draining(let left) = phase, epochs.advance() {
            phase = left > 1 ? .draining(left - 1) : .idle
            if left == 1 { graph.freeRetiredNodes() }
        }
    }

    private func mark(_ nodes: Range<UInt32>, in graph: Graph) {
        for node in nodes {
            guard let slot = graph.slot(of: node), deaths.isDead(slot) else { continue }
            removed.note(slot)
            graph.leaving.insert(node)
        }
    }

    private func relink(_ nodes: Range<UInt32>, in graph: Graph) {
        forkJoin.run(nodes.count, pieceSize: 16) { [self] worker, index in
            let node = nodes.lowerBound + UInt32(index)
            if graph.slot(of: node) != nil, !graph.leaving.contains(node) { choosers[worker].relink(node, in: graph) }
        }
    }

    private func retire(_ graph: Graph) {
        func stays(_ node: UInt32) -> Bool { graph.slot(of: node) != nil && !graph.leaving.contains(node) }
        // Any that stays, drawn by a hash: those next to the ones that leave would gather in the crowds.
        let isAnyGone = graph.beacons.replace(graph.leaving) { node, isFree in
            (0..<Self.draws).lazy.map { UInt32(mixBits(UInt64(node) << 32 | $0) % UInt64(graph.nodeCount)) }
                .first { stays($0) && isFree($0) }
        }
        if isAnyGone { renewBeacons(graph, stays: stays) }
        graph.retireLeavingNodes()
    }

    private func renewBeacons(_ graph: Graph, stays: (UInt32) -> Bool) {
        if graph.beacons.present.isEmpty, let any = (0..<graph.nodeCount).last(where: stays) { _ = graph.beacons.add(any) }
        let beacons = graph.beacons.present
        forkJoin.run(beacons.count, pieceSize: 4) { [self] worker, index in
            choosers[worker].linkBeacon(beacons[index], in: graph)
        }
    }
}
