internal import CVectorKernels
public import KithCore
internal import Synchronization

/// A graph of near neighbours in one level, with compact codes of the vectors beside the links: the fastest kind.
///
/// The graph is Vamana's (DiskANN, Subramanya et al. 2019): one level, links pruned so that they point in many directions. Searches
/// walk over codes, beside the threads that link, and compare the nearest found with the rows; what is not linked yet they scan.
/// Where walking would cost more than scanning everything (few vectors, much effort, many dead), they scan.
public final class ProximityIndex: VectorIndexReader, VectorIndexWriter, @unchecked Sendable {
    /// Rows that scanning compares while walking compares one: memory order is what the hardware likes.
    static let scanAdvantage = 4
    /// Nodes that a walk compares for each candidate it keeps, about.
    static let comparedPerCandidate = 24
    /// The graph is made anew when more than one in this many of its nodes is dead.
    static let deadShareLimit: UInt64 = 3
    /// Nodes looked at to estimate that share.
    static let deadShareSample: UInt64 = 256

    private let parameters: ProximityParameters
    private let vectorSpace: VectorSpace
    private let space: SpaceDistance
    private let deaths: SlotDeaths
    private let removed: RemovedSlots
    private let walks: WalkPool
    /// Searches retain the graph they walk; the lock is held for just that.
    private let current: Mutex<ProximityGraph>

    // Of the one thread that links.
    private let linker: ProximityLinker
    /// A graph over the living alone, which takes the place of `current` once it has caught up.
    private var replacement: ProximityGraph?

    init(_ context: IndexContext, parameters: ProximityParameters, graph: ProximityGraph) throws(KithError) {
        self.parameters = parameters
        vectorSpace = context.space
        space = try SpaceDistance(context.space, rows: context.rows)
        deaths = context.deaths
        removed = RemovedSlots(context.deaths)
        walks = WalkPool(dimension: context.space.dimension)
        current = Mutex(graph)
        linker = ProximityLinker(context, parameters, removed: removed)
    }

    private var graph: ProximityGraph { current.withLock { $0 } }

    public var linkedCount: UInt32 { graph.linkedCount }
    public var linkableSlots: UInt32 { UInt32(graph.layout.capacity) }

    // MARK: Searching

    public func search(_ query: IndexQuery, in snapshot: Snapshot) throws(KithError) -> [Neighbour] {
        guard query.topK > 0 else { return [] }
        let graph = graph
        // Read before the walk: what is linked meanwhile is scanned, not missed.
        let linked = min(graph.linkedCount, snapshot.slotCount)
        let distance = space.query(query.vector)
        let visibility = Visibility(deaths: deaths, position: snapshot.position, bound: linked)
        return try walks.withWalk { walk throws(KithError) in
            var answered = false
            if isWorthWalking(query, linked) {
                answered = try answer(query, from: graph, walk, distance, visibility)
            }
            if !answered {
                walk.scan.nearest.reset(limit: query.topK)
                try walk.scan.scan(0..<linked, distance, visibility, shouldStop: query.shouldStop)
            }
            if !query.indexedOnly {
                let whole = Visibility(deaths: deaths, position: snapshot.position, bound: snapshot.slotCount)
                try walk.scan.scan(linked..<snapshot.slotCount, distance, whole, shouldStop: query.shouldStop)
            }
            return walk.scan.answer()
        }
    }

    public func expectedComparisons(_ query: IndexQuery, in snapshot: Snapshot) -> Int {
        let linked = min(linkedCount, snapshot.slotCount)
        let tail = query.indexedOnly ? 0 : Int(snapshot.slotCount - linked)
        return tail + (isWorthWalking(query, linked) ? walkedRows(effort(query)) : Int(linked))
    }

    private func effort(_ query: IndexQuery) -> Int {
        let wanted = query.effort ?? query.recallTarget.map(parameters.effort(forRecall:)) ?? parameters.searchWindow
        return max(wanted, query.topK)
    }

    private func walkedRows(_ effort: Int) -> Int { effort * Self.comparedPerCandidate }

    /// Whether walking the graph is cheaper than scanning what it links.
    private func isWorthWalking(_ query: IndexQuery, _ linked: UInt32) -> Bool {
        !query.exact && walkedRows(effort(query)) * Self.scanAdvantage < Int(linked)
    }

    /// Collects the answer from the graph; false where a scan must do it instead: the walk grew too long, or found too few.
    ///
    /// - Throws: `CANCELLED` when the query's `shouldStop` said so.
    private func answer(
        _ query: IndexQuery, from graph: ProximityGraph, _ walk: ProximityWalk, _ distance: QueryDistance,
        _ visibility: Visibility
    ) throws(KithError) -> Bool {
        let budget = Int(visibility.bound) / Self.scanAdvantage
        walk.setQuery(query.vector, of: graph)
        var effort = effort(query)
        while walkedRows(effort) <= budget {
            let bounds = ProximityBounds(
                topK: query.topK, effort: effort, spread: graph.spread, metric: vectorSpace.metric)
            guard try walk.run(graph, bounds, budget: budget, shouldStop: query.shouldStop) else { return false }
            walk.keepNearest(query.topK, of: graph, distance, visibility)
            if walk.scan.nearest.count >= query.topK { return addRemoved(walk, distance, visibility) }
            // Many of those found are dead, or younger than the snapshot: farther ones have to do.
            effort *= 2
        }
        return false
    }

    /// Adds what left the graph although this search must see it; false where that is no longer known.
    private func addRemoved(_ walk: ProximityWalk, _ distance: QueryDistance, _ visibility: Visibility) -> Bool {
        switch removed.missing(at: visibility.position) {
        case .none: return true
        case .unknown: return false
        case .slots(let slots):
            for slot in slots where visibility.admits(slot) {
                let rank = Rank(distance: distance.distance(to: slot), slot: slot)
                if walk.scan.nearest.wants(rank) { walk.scan.nearest.insert(rank) }
            }
            return true
        }
    }

    // MARK: Linking

    public func hasWork(upTo slotCount: UInt32) -> Bool {
        let graph = graph
        return graph.linkedCount < min(slotCount, linkableSlots) || replacement != nil || isRotten(graph)
    }

    public func link(upTo slotCount: UInt32, limit: Int) throws(KithError) -> UInt32 {
        let graph = graph
        linker.advance(graph, upTo: min(slotCount, linkableSlots), limit: limit)
        try renew(graph, limit: 2 * limit)
        return linkedCount
    }

    /// Makes a graph anew over the living, a piece a call, once too many of its nodes are dead.
    private func renew(_ graph: ProximityGraph, limit: Int) throws(KithError) {
        if replacement == nil, isRotten(graph) { replacement = try ProximityGraph(vectorSpace, parameters) }
        guard let successor = replacement else { return }
        linker.advance(successor, upTo: graph.linkedCount, limit: limit)
        if successor.linkedCount == graph.linkedCount {
            current.withLock { $0 = successor }
            replacement = nil
        }
    }

    /// Whether too many nodes are dead, by a sample that depends on nothing but the graph.
    private func isRotten(_ graph: ProximityGraph) -> Bool {
        let count = UInt64(graph.nodeCount)
        guard count >= Self.deadShareSample else { return false }
        var nodes: UInt64 = 0
        var dead: UInt64 = 0
        for index in 0..<Self.deadShareSample {
            guard let slot = graph.slot(of: UInt32(Graph.mix(index) % count)) else { continue }
            nodes += 1
            if deaths.isDead(slot) { dead += 1 }
        }
        return dead * Self.deadShareLimit > nodes
    }

    public func checkpoint() -> IndexCheckpoint { graph.checkpoint() }

    /// - Throws: `CORRUPTION` when the graph is not what it must be between two links. O(links).
    package func checkInvariants() throws(KithError) {
        try graph.checkInvariants()
        try replacement?.checkInvariants()
    }
}
