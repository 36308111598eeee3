internal import CVectorKernels
public import KithCore
internal import Synchronization

/// A graph of near neighbours in one level, with compact codes of the vectors beside the links: the fastest kind.
///
/// The graph is Vamana's (DiskANN, Subramanya et al. 2019): one level, links pruned so that they point in many directions. Searches
/// walk over codes, beside the threads that link, and compare the nearest found with the rows; what is not linked yet they scan.
/// Where walking would cost more than scanning everything (few vectors, much effort, many dead), they scan.
public final class GraphIndex: VectorIndex, CheckableIndex, CalibratedIndex, @unchecked Sendable {
    /// The dead are taken out when they are more than one in this many nodes; the graph is made anew when they are more than half.
    static let deadShareLimit = 16
    /// Nodes looked at to estimate that share.
    static let deadShareSample = 256

    private struct Current {
        var graph: Graph
        /// A graph over the living alone, which takes the place of the other once it has caught up.
        var replacement: Graph?
        var efforts: EffortTable?
    }

    private let parameters: GraphParameters
    /// 0: none.
    let standardWindow: Atomic<Int>
    private let context: IndexContext
    private let space: SpaceDistance
    private let deaths: SlotDeaths
    private let removed: RemovedSlots
    private let walks: WalkPool
    /// Nil where rows are scanned as fast.
    private let tailCodes: TailCodes?
    private let epochs = ReaderEpochs()
    /// What searches retain: the graph they walk, and what is known of the effort they need. The lock is held for just that.
    private let current: Mutex<Current>

    /// What searches know of the dead: of `deadShareSample` nodes, when last estimated.
    private let estimatedDead = Atomic<Int>(0)

    // Of the one thread that links.
    private let calibrator: GraphCalibrator
    private let linker: GraphLinker
    /// Nil once the codes are chosen, or where there is no choice.
    private var codeChoice: CodeChoice?
    private let repair: GraphRepair
    /// Only the linking thread makes and shows it.
    private var replacement: Graph? {
        get { current.withLock { $0.replacement } }
        set { current.withLock { $0.replacement = newValue } }
    }

    init(
        _ context: IndexContext, parameters: GraphParameters, graph: Graph, efforts: EffortTable? = nil
    ) throws(KithError) {
        self.parameters = parameters
        standardWindow = Atomic(parameters.searchWindow ?? 0)
        self.context = context
        space = try SpaceDistance(context.space, rows: context.rows)
        deaths = context.deaths
        removed = RemovedSlots(context.deaths)
        walks = WalkPool(context)
        tailCodes = try TailCodes(context)
        current = Mutex(Current(graph: graph, efforts: efforts))
        // A graph that was restored keeps what it has, but for one too small to have chosen.
        codeChoice = Int(graph.linkedCount) < CodeChoice.vectors ? try CodeChoice(context, parameters) : nil
        let forkJoin = ForkJoin(threads: parameters.linkThreads)
        calibrator = try GraphCalibrator(context, efforts, forkJoin: forkJoin)
        let choosers = (0..<forkJoin.threads).map { _ in LinkChooser(context, parameters) }
        linker = GraphLinker(context, parameters, removed: removed, forkJoin: forkJoin, choosers: choosers)
        repair = GraphRepair(context, removed: removed, epochs: epochs, forkJoin: forkJoin, choosers: choosers)
    }

    private var graph: Graph { current.withLock { $0.graph } }
    /// What searches walk, and what is to take its place.
    var graphs: [Graph] { current.withLock { [$0.graph] + ($0.replacement.map { [$0] } ?? []) } }

    public var linkedCount: UInt32 { graph.linkedCount }
    public var linkableSlots: UInt32 { UInt32(graph.layout.capacity) }

    // MARK: Searching

    public func search(_ query: IndexQuery, in snapshot: Snapshot) throws(KithError) -> [Neighbour] {
        try withWalk { current, walk throws(KithError) in try find(query, in: snapshot, current, walk) }
    }

    /// Where all of them are exact the rows are read once for many of them; others have one walk's memory and one look at what all threads share.
    public func search(_ queries: [IndexQuery], in snapshot: Snapshot) throws(KithError) -> [[Neighbour]] {
        if queries.allSatisfy({ $0.exact && !$0.indexedOnly }) {
            let visibility = Visibility(deaths: deaths, position: snapshot.position, bound: snapshot.slotCount)
            if let answers = try PanelScan.answers(queries, context.space, context.rows, visibility) { return answers }
        }
        return try withWalk { current, walk throws(KithError) in
            var answers: [[Neighbour]] = []
            answers.reserveCapacity(queries.count)
            for query in queries { answers.append(try find(query, in: snapshot, current, walk)) }
            return answers
        }
    }

    /// Lends a walk, and the graph it may go over meanwhile.
    private func withWalk<Result>(
        _ body: (Current, GraphWalk) throws(KithError) -> Result
    ) throws(KithError) -> Result {
        try epochs.read { () throws(KithError) in
            let current = current.withLock { $0 }
            return try walks.withWalk { walk throws(KithError) in try body(current, walk) }
        }
    }

    private func find(
        _ query: IndexQuery, in snapshot: Snapshot, _ current: Current, _ walk: GraphWalk
    ) throws(KithError) -> [Neighbour] {
        guard query.topK > 0 else { return [] }
        let graph = current.graph
        // Read before the walk: what is linked meanwhile is scanned, not missed.
        let linked = min(graph.linkedCount, snapshot.slotCount)
        let distance = space.query(query.vector)
        let visibility = Visibility(deaths: deaths, position: snapshot.position, bound: linked)
        var answered = false
        var plan = plan(query, effort: wholeEffort(query, current), linked: linked)
        if plan.isWorthIt {
            answered = try answer(query, &plan, from: graph, walk, distance, visibility)
        }
        if !answered {
            walk.scan.nearest.reset(limit: query.topK)
            try walk.scan.scan(0..<linked, distance, visibility, matching: query.filter, shouldStop: query.shouldStop)
        }
        if !query.indexedOnly {
            let whole = Visibility(deaths: deaths, position: snapshot.position, bound: snapshot.slotCount)
            try walk.scanTail(linked..<snapshot.slotCount, query, tailCodes, distance, whole)
        }
        return walk.scan.answer()
    }

    public func expectedComparisons(_ query: IndexQuery, in snapshot: Snapshot) -> Int {
        let current = current.withLock { $0 }
        let linked = min(current.graph.linkedCount, snapshot.slotCount)
        func matches(_ range: Range<UInt32>) -> Int { query.filter?.count(in: range) ?? range.count }
        let tail = query.indexedOnly ? 0 : matches(linked..<snapshot.slotCount)
        let plan = plan(query, effort: Int(effort(query, current).rounded(.up)), linked: linked)
        return tail + (plan.isWorthIt ? plan.comparisons : matches(0..<linked))
    }

    private func plan(_ query: IndexQuery, effort: Int, linked: UInt32) -> WalkPlan {
        let deadShare = Double(estimatedDead.load(ordering: .relaxed)) / Double(Self.deadShareSample)
        // Beyond half the graph is being made anew, and a wider walk would be a scan.
        return WalkPlan(query, effort: effort, linked: linked, deadShare: min(deadShare, 0.5))
    }

    private func wholeEffort(_ query: IndexQuery, _ current: Current) -> Int {
        FractionalEffort.whole(effort(query, current), for: query.vector, byteCount: context.space.vectorBytes)
    }

    /// Candidates to keep: as the query says, or as its recall needs, or as the definition says, or as the default recall needs.
    private func effort(_ query: IndexQuery, _ current: Current) -> Double {
        let least = Double(query.topK)
        if let effort = query.effort ?? (query.recallTarget == nil ? searchWindow : nil) {
            return max(Double(effort), least)
        }
        let recall = query.recallTarget ?? GraphParameters.defaultRecall
        let measured = current.efforts?.effort(topK: query.topK, recall: recall, vectors: current.graph.publishedNodes)
        return max(measured ?? Double(GraphParameters.effort(forRecall: recall)), least)
    }

    /// Collects the answer from the graph; false where a scan must do it instead: the walk grew too long, or found too few.
    ///
    /// - Throws: `CANCELLED` when the query's `shouldStop` said so.
    private func answer(
        _ query: IndexQuery, _ plan: inout WalkPlan, from graph: Graph, _ walk: GraphWalk, _ distance: QueryDistance,
        _ visibility: Visibility
    ) throws(KithError) -> Bool {
        var visibility = visibility
        visibility.filter = query.filter?.bits
        walk.setQuery(query.vector, of: graph)
        while plan.isWorthIt {
            let bounds = WalkBounds(
                topK: plan.topK, effort: plan.effort, spread: graph.spread, metric: context.space.metric)
            guard
                try walk.run(
                    graph, bounds, over: graph.searchRecords, budget: plan.budget, shouldStop: query.shouldStop)
            else { return false }
            let met = try walk.keepNearest(
                query.topK, wanted: plan.wanted, of: graph, distance, visibility, comparesAll: context.rows.kernel != nil)
            if met >= plan.wanted {
                return addRemoved(walk, distance, visibility)
            }
            // Many of those found are dead, filtered out, or younger than the snapshot: farther ones have to do.
            plan.widen()
        }
        return false
    }

    /// Adds what left the graph although this search must see it; false where that is no longer known.
    private func addRemoved(_ walk: GraphWalk, _ distance: QueryDistance, _ visibility: Visibility) -> Bool {
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

    public var calibration: IndexCalibration? {
        let current = current.withLock { $0 }
        return current.efforts.map { IndexCalibration($0, vectors: current.graph.publishedNodes) }
    }

    // MARK: Linking

    public func hasWork(upTo slotCount: UInt32) -> Bool {
        let current = current.withLock { $0 }
        return current.graph.linkedCount < min(slotCount, linkableSlots) || canChooseCodes || replacement != nil
            || repair.isUnderway || current.graph.isDamaged || !current.graph.hurriedNodes.isEmpty
            || estimateDead(current.graph) * Self.deadShareLimit > Self.deadShareSample
            || calibrator.hasWork(current.graph, current.efforts, upTo: slotCount)
    }

    public func link(upTo slotCount: UInt32, limit: Int, inHurry: Bool) throws(KithError) -> UInt32 {
        try chooseCodes()
        let graph = graph
        tailCodes?.encode(from: graph.linkedCount, upTo: slotCount, epochs: epochs)
        let limit = codeChoice == nil ? limit : min(limit, CodeChoice.vectors)
        try graph.reserveLinks(nodes: limit)
        let end = min(slotCount, linkableSlots)
        linker.advance(graph, upTo: end, limit: limit, inHurry: inHurry) { [calibrator] slot, worker in
            calibrator.willLink(slot, in: graph, worker: worker, inHurry: inHurry)
        }
        try keepUp(graph, limit: limit)
        if !inHurry, graph.linkedCount >= end { linker.refine(graph, limit: limit) }
        calibrate(upTo: slotCount, limit: limit, inHurry: inHurry)
        return linkedCount
    }

    private var canChooseCodes: Bool { codeChoice != nil && Int(linkedCount) >= CodeChoice.vectors }

    /// Once there are vectors to judge by, makes the graph anew where others codes suit them: it is small yet.
    private func chooseCodes() throws(KithError) {
        guard canChooseCodes, let choice = codeChoice.take() else { return }
        let graph = graph
        let living = (0..<graph.linkedCount).filter { !deaths.isDead($0) }
        let code = try choice.code(for: Array(living.prefix(CodeChoice.vectors)))
        guard code != graph.code else { return }
        let other = try Graph(context, parameters, code: code)
        linker.advance(other, upTo: graph.linkedCount, limit: Int(graph.linkedCount))
        current.withLock { $0.graph = other }
        repair.reset()
    }

    private func calibrate(upTo slotCount: UInt32, limit: Int, inHurry: Bool) {
        let current = current.withLock { $0 }
        let comparisons = limit * parameters.constructionWindow * WalkPlan.comparedPerCandidate
        let measured = calibrator.advance(
            current.graph, current.efforts, upTo: slotCount, comparisons: comparisons, inHurry: inHurry)
        guard let efforts = measured else { return }
        self.current.withLock { $0.efforts = efforts }
    }

    /// Takes the dead out of the graph, a piece a call; or, where they are the most of it, makes another over the living, which is built
    /// at twice the pace of the one it follows, so it catches up.
    private func keepUp(_ graph: Graph, limit: Int) throws(KithError) {
        let dead = estimateDead(graph)
        if replacement == nil, graph.isDamaged || 2 * dead > Self.deadShareSample {
            replacement = try Graph(context, parameters, code: graph.code)
            // Told once: from here on it is being mended.
            if graph.isDamaged { throw KithError(.dataLoss, .corruption, "links on disk are damaged: the graph is linked again") }
        }
        guard let successor = replacement else {
            if dead * Self.deadShareLimit > Self.deadShareSample { repair.begin() }
            return repair.advance(graph, limit: limit)
        }
        try successor.reserveLinks(nodes: 2 * limit)
        linker.advance(successor, upTo: graph.linkedCount, limit: 2 * limit)
        if successor.linkedCount == graph.linkedCount {
            successor.linkFile?.isMapped = graph.linkFile?.isMapped ?? true
            current.withLock { ($0.graph, $0.replacement) = (successor, nil) }
            repair.reset()
        }
    }

    private func estimateDead(_ graph: Graph) -> Int {
        let dead = sampleDead(graph)
        estimatedDead.store(dead, ordering: .relaxed)
        return dead
    }

    /// How many of `deadShareSample` nodes are dead, by a sample that depends on nothing but the graph; 0 in a small one.
    private func sampleDead(_ graph: Graph) -> Int {
        let count = UInt64(graph.publishedNodes)
        guard count >= Self.deadShareSample else { return 0 }
        var nodes = 0
        var dead = 0
        for index in 0..<UInt64(Self.deadShareSample) {
            guard let slot = graph.slot(of: UInt32(mixBits(index) % count)) else { continue }
            nodes += 1
            if deaths.isDead(slot) { dead += 1 }
        }
        return nodes == 0 ? 0 : dead * Self.deadShareSample / nodes
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
