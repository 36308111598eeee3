public import KithCore
internal import Synchronization

/// A graph of near neighbours in layers: approximate, and logarithmic in the number of vectors.
///
/// Malkov and Yashunin, arXiv 1603.09320. Searches walk the graph beside the thread that links, then scan what it has not
/// reached. Where walking would cost more than scanning everything (few vectors, much effort, many dead), they scan.
public final class HNSWIndex: VectorIndexReader, VectorIndexWriter, CheckableIndex, @unchecked Sendable {
    /// Rows that scanning compares while walking compares one: memory order is what the hardware likes.
    static let scanAdvantage = 4
    /// The graph is made anew when more than one in this many of its nodes is dead.
    static let deadShareLimit = 3
    /// Slots looked at to estimate that share.
    static let deadShareSample = 256

    private struct Current {
        var graph: Graph
        var efforts: EffortTable?
    }

    private let parameters: HNSWParameters
    private let space: SpaceDistance
    private let deaths: SlotDeaths
    private let scratches = ScratchPool()
    /// What searches retain: the graph they walk, and what is known of the effort they need. The lock is held for just that.
    private let current: Mutex<Current>

    // Of the one thread that links.
    private let linker: GraphLinker
    /// A graph over the living alone, which takes the place of the current one once it has caught up.
    private var replacement: Graph?
    private let calibrator: GraphCalibrator

    init(_ context: IndexContext, parameters: HNSWParameters, graph: Graph, efforts: EffortTable? = nil) throws(KithError) {
        self.parameters = parameters
        space = try SpaceDistance(context.space, rows: context.rows)
        deaths = context.deaths
        current = Mutex(Current(graph: graph, efforts: efforts))
        calibrator = GraphCalibrator(space: space, deaths: deaths)
        linker = GraphLinker(space: space, deaths: deaths, efConstruction: parameters.efConstruction)
    }

    private var graph: Graph { current.withLock { $0.graph } }

    public var linkedCount: UInt32 { graph.linkedCount }
    public var linkableSlots: UInt32 { Limits.graphSlots }

    // MARK: Searching

    public func search(_ query: IndexQuery, in snapshot: Snapshot) throws(KithError) -> [Neighbour] {
        guard query.topK > 0 else { return [] }
        let current = current.withLock { $0 }
        let graph = current.graph
        let width = width(query, current.efforts)
        // Read before the walk: what is linked meanwhile is scanned, not missed.
        let linked = min(graph.linkedCount, snapshot.slotCount)
        let distance = space.query(query.vector)
        let visibility = Visibility(deaths: deaths, position: snapshot.position, bound: linked)
        return try scratches.withScratch { scratch throws(KithError) in
            var answered = false
            if walks(query, width, linked) {
                var visibility = visibility
                visibility.filter = query.filter?.bits
                answered = try scratch.answerFromGraph(graph, distance, visibility, query, width)
            }
            if answered {
                scratch.nearest.shrink(to: query.topK)
            } else {
                scratch.nearest.reset(limit: query.topK)
                try scratch.scan(
                    0..<linked, distance, visibility, matching: query.filter, shouldStop: query.shouldStop)
            }
            if !query.indexedOnly {
                let whole = Visibility(deaths: deaths, position: snapshot.position, bound: snapshot.slotCount)
                try scratch.scan(
                    linked..<snapshot.slotCount, distance, whole, matching: query.filter, shouldStop: query.shouldStop)
            }
            return scratch.answer()
        }
    }

    public func expectedComparisons(_ query: IndexQuery, in snapshot: Snapshot) -> Int {
        let current = current.withLock { $0 }
        let linked = min(current.graph.linkedCount, snapshot.slotCount)
        func matches(_ range: Range<UInt32>) -> Int { query.filter?.count(in: range) ?? range.count }
        let tail = query.indexedOnly ? 0 : matches(linked..<snapshot.slotCount)
        let width = width(query, current.efforts)
        return tail + (walks(query, width, linked) ? walkedRows(query, width, linked) : matches(0..<linked))
    }

    /// Candidates to keep: as the query says, or as its recall needs, or as the definition says, or as the default recall needs.
    private func width(_ query: IndexQuery, _ efforts: EffortTable?) -> Int {
        if let effort = query.effort ?? (query.recallTarget == nil ? parameters.efSearch : nil) { return max(effort, query.topK) }
        let recall = query.recallTarget ?? HNSWParameters.defaultRecall
        let effort = efforts?.effort(topK: query.topK, recall: recall) ?? HNSWParameters.effort(forRecall: recall)
        return max(effort, query.topK)
    }

    /// Each candidate kept brings some m rows nobody has seen yet.
    private func walkedRows(_ query: IndexQuery, _ width: Int, _ linked: UInt32) -> Int {
        query.filter.map { $0.rule(linked: linked).walkedRows(width: width, degree: parameters.m) } ?? width * parameters.m
    }

    /// Whether walking the graph is cheaper than scanning what it links, and enough.
    private func walks(_ query: IndexQuery, _ width: Int, _ linked: UInt32) -> Bool {
        if query.exact || query.recallTarget == 1 { return false }
        if let filter = query.filter { return filter.rule(linked: linked).walks(width: width, degree: parameters.m) }
        return walkedRows(query, width, linked) * HNSWIndex.scanAdvantage < Int(linked)
    }

    // MARK: Linking

    public func hasWork(upTo slotCount: UInt32) -> Bool {
        let current = current.withLock { $0 }
        return current.graph.linkedCount < min(slotCount, Limits.graphSlots) || replacement != nil || isRotten(current.graph)
            || calibrator.hasWork(current.graph, current.efforts, upTo: slotCount)
    }

    public func link(upTo slotCount: UInt32, limit: Int) throws(KithError) -> UInt32 {
        let graph = graph
        linker.advance(graph, upTo: min(slotCount, Limits.graphSlots), limit: limit) { calibrator.willLink($0, in: graph) }
        try renew(graph, limit: 2 * limit)
        calibrate(upTo: slotCount, limit: limit)
        return linkedCount
    }

    private func calibrate(upTo slotCount: UInt32, limit: Int) {
        let current = current.withLock { $0 }
        // Linking one vector compares some m rows for each candidate it keeps.
        let comparisons = limit * parameters.efConstruction * parameters.m
        guard let efforts = calibrator.advance(current.graph, current.efforts, upTo: slotCount, comparisons: comparisons) else {
            return
        }
        self.current.withLock { $0.efforts = efforts }
    }

    /// Makes a graph anew over the living, a piece a call, once too many of its nodes are dead: updates and deletes must
    /// not wear out recall. It is built at twice the pace of the one it follows, so it catches up.
    private func renew(_ graph: Graph, limit: Int) throws(KithError) {
        if replacement == nil, isRotten(graph) { replacement = try Graph(m: parameters.m) }
        guard let successor = replacement else { return }
        linker.advance(successor, upTo: graph.linkedCount, limit: limit)
        if successor.linkedCount == graph.linkedCount {
            current.withLock { $0.graph = successor }
            replacement = nil
        }
    }

    /// Whether too many nodes are dead, by a sample that depends on nothing but the graph.
    private func isRotten(_ graph: Graph) -> Bool {
        let linked = UInt64(graph.linkedCount)
        guard linked >= HNSWIndex.deadShareSample else { return false }
        var nodes = 0
        var dead = 0
        for index in 0..<UInt64(HNSWIndex.deadShareSample) {
            let slot = UInt32(Graph.mix(index) % linked)
            if graph.level(of: slot) == nil { continue }
            nodes += 1
            if deaths.isDead(slot) { dead += 1 }
        }
        return dead * HNSWIndex.deadShareLimit > nodes
    }

    public func checkpoint() -> IndexCheckpoint {
        let current = current.withLock { $0 }
        var checkpoint = current.graph.checkpoint()
        checkpoint.attributes.merge(current.efforts?.attributes ?? [:]) { mine, _ in mine }
        return checkpoint
    }

    /// - Throws: `CORRUPTION` when the graph is not what it must be between two links. O(links).
    package func checkInvariants() throws(KithError) {
        try graph.checkInvariants()
        try replacement?.checkInvariants()
    }
}

extension SearchScratch {
    /// Collects the answer from the graph; false where a scan must do it instead: the walk grew too long, or found too few.
    ///
    /// - Throws: `CANCELLED` when the query's `shouldStop` said so.
    fileprivate mutating func answerFromGraph(
        _ graph: Graph, _ distance: QueryDistance, _ visibility: Visibility, _ query: IndexQuery, _ width: Int
    ) throws(KithError) -> Bool {
        guard let entry = graph.entryPoint else { return false }
        let start = descend(graph, distance, from: entry, to: 0)
        let budget =
            query.filter?.rule(linked: visibility.bound).walkBudget ?? Int(visibility.bound) / HNSWIndex.scanAdvantage
        let limits = WalkLimits(width: width, budget: budget, visibility: visibility)
        switch walk(graph, distance, level: 0, from: start, limits, shouldStop: query.shouldStop) {
        case .complete: return nearest.count >= query.topK
        case .stopped: throw .searchCancelled
        case .overBudget: return false
        }
    }
}
