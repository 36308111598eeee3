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
        for index in 0..<graph.entryCount {
            guard let node = graph.entry(index), graph.leaving.contains(node) else { continue }
            graph.setEntry(index, to: standIn(for: node, in: graph))
        }
        graph.retireLeavingNodes()
    }

    /// A node that stays, next to the one that leaves or anywhere.
    private func standIn(for node: UInt32, in graph: Graph) -> UInt32? {
        func stays(_ node: UInt32) -> Bool { graph.slot(of: node) != nil && !graph.leaving.contains(node) }
        let links = graph.links(of: node)
        var index = 0
        while let other = links.node(at: index) {
            if stays(other) { return other }
            index += 1
        }
        return (0..<graph.nodeCount).last(where: stays)
    }
}

/// A set of nodes as bits.
struct NodeSet {
    private var words: [UInt64] = []

    mutating func insert(_ node: UInt32) {
        let index = Int(node / 64)
        if index >= words.count { words += Array(repeating: 0, count: index + 1 - words.count) }
        words[index] |= 1 << (node % 64)
    }

    func contains(_ node: UInt32) -> Bool {
        let index = Int(node / 64)
        return index < words.count && words[index] >> (node % 64) & 1 == 1
    }

    mutating func removeAll() { words.removeAll(keepingCapacity: true) }

    var elements: [UInt32] {
        words.indices.filter { words[$0] != 0 }.flatMap { index in
            (0..<64).filter { words[index] >> UInt64($0) & 1 == 1 }.map { UInt32(index * 64 + $0) }
        }
    }
}
