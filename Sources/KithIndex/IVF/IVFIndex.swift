public import KithCore
internal import Synchronization

/// Inverted lists: vectors lie with the nearest of some centres, and a search looks into the lists of the centres nearest to it.
///
/// Sivic and Zisserman, 2003; with codes, Jegou, Douze and Schmid, TPAMI 2011. Centres and codes are learned once enough vectors are there, until when
/// all are scanned, and anew in the background when they no longer fit (see `IVFDrift`); what is learned takes the place of the old whole.
public final class IVFIndex: VectorIndex, CheckableIndex, CalibratedIndex, TunableIndex, @unchecked Sendable {
    /// What searches retain: the lists they look into, and what is known of how many they need. The lock is held for just that.
    private struct Current {
        var state: IVFState?
        var efforts: EffortTable?
    }

    private let parameters: IVFParameters
    /// 0: by the number of lists.
    private let standardProbes: Atomic<Int>
    private let registry: QuantizerRegistry
    private let context: IndexContext
    private let distance: SpaceDistance
    private let scratches = ScratchPool()
    private let ownScratches: IVFScratchPool
    private let current: Mutex<Current>
    private let successor = Mutex<IVFState?>(nil)

    // Of the one thread that links.
    private let appender: IVFAppender
    private let calibrator: IVFCalibrator
    private var trainer: IVFTrainer?
    private var drift: IVFDrift
    private var trainings: UInt64

    init(
        _ context: IndexContext, parameters: IVFParameters, registry: QuantizerRegistry, state: IVFState?,
        efforts: EffortTable? = nil
    ) throws(KithError) {
        self.context = context
        self.parameters = parameters
        ownScratches = IVFScratchPool(context)
        standardProbes = Atomic(parameters.probes)
        self.registry = registry
        distance = try SpaceDistance(context.space, rows: context.rows)
        appender = IVFAppender(context)
        calibrator = try IVFCalibrator(context, parameters)
        current = Mutex(Current(state: state, efforts: efforts))
        drift = IVFDrift(state)
        trainings = state?.model.quantizer?.version ?? (state == nil ? 0 : 1)
    }

    private var state: IVFState? { current.withLock { $0.state } }
    /// Lists that take the place of the current ones once they have caught up.
    private var replacement: IVFState? {
        get { successor.withLock { $0 } }
        set { successor.withLock { $0 = newValue } }
    }

    public var footprint: IndexFootprint {
        IndexFootprint(memoryBytes: (state?.memoryBytes ?? 0) + (replacement?.memoryBytes ?? 0))
    }

    public var linkedCount: UInt32 { state?.linkedCount ?? 0 }
    /// None before the first training: nothing waits for it.
    public var linkableSlots: UInt32 { state?.slotLimit ?? 0 }

    /// How often it has learned from its vectors.
    package var trainingCount: UInt64 { trainings }

    // MARK: Searching

    public func search(_ query: IndexQuery, in snapshot: Snapshot) throws(KithError) -> [Neighbour] {
        guard query.topK > 0 else { return [] }
        let current = current.withLock { $0 }
        let state = current.state
        // Read before the lists are: what is linked meanwhile is scanned, not missed.
        let linked = min(state?.linkedCount ?? 0, snapshot.slotCount)
        let distance = distance.query(query.vector)
        let visibility = Visibility(deaths: context.deaths, position: snapshot.position, bound: linked)
        return try scratches.withScratch { scratch throws(KithError) in
            scratch.nearest.reset(limit: query.topK)
            var answered = false
            if let state, let probes = wholeProbes(query, current, linked) {
                var visibility = visibility
                visibility.filter = query.filter?.bits
                let search = IVFSearch(
                    state: state, distance: distance, visibility: visibility, probes: probes, rescore: parameters.rescore)
                answered = try ownScratches.withScratch { own throws(KithError) in try search.run(query, &scratch, own) }
            }
            if !answered {
                scratch.nearest.reset(limit: query.topK)
                try scratch.scan(0..<linked, distance, visibility, matching: query.filter, shouldStop: query.shouldStop)
            }
            if !query.indexedOnly {
                let whole = Visibility(deaths: context.deaths, position: snapshot.position, bound: snapshot.slotCount)
                try scratch.scan(
                    linked..<snapshot.slotCount, distance, whole, matching: query.filter, shouldStop: query.shouldStop)
            }
            return scratch.answer()
        }
    }

    public func expectedComparisons(_ query: IndexQuery, in snapshot: Snapshot) -> Int {
        let current = current.withLock { $0 }
        let linked = min(current.state?.linkedCount ?? 0, snapshot.slotCount)
        func matches(_ range: Range<UInt32>) -> Int { query.filter?.count(in: range) ?? range.count }
        let tail = query.indexedOnly ? 0 : matches(linked..<snapshot.slotCount)
        guard let state = current.state, let probes = probes(query, current, linked) else { return tail + matches(0..<linked) }
        return tail + state.model.listCount + IVFIndex.entries(in: probes, state, linked)
    }

    /// Entries that a search compares while a scan compares one row: codes are smaller.
    private static let scanDisadvantage = 4

    private func wholeProbes(_ query: IndexQuery, _ current: Current, _ linked: UInt32) -> Int? {
        probes(query, current, linked).map {
            FractionalEffort.whole($0, for: query.vector, byteCount: context.space.vectorBytes)
        }
    }

    /// Lists to look into; nil where a scan of what may be answered is asked for, or cheaper.
    private func probes(_ query: IndexQuery, _ current: Current, _ linked: UInt32) -> Double? {
        guard let state = current.state, linked > 0, !query.exact, query.recallTarget != 1 else { return nil }
        let lists = Double(state.model.listCount)
        let asked = min(max(effort(query, current, state, linked), 1), lists)
        guard let filter = query.filter else { return asked }
        // The narrower the filter, the more lists hold as many matches.
        let matches = filter.count(in: 0..<linked)
        let probes = min(asked * Double(linked) / Double(max(matches, 1)), lists)
        return IVFIndex.entries(in: probes, state, linked) < matches * IVFIndex.scanDisadvantage ? probes : nil
    }

    /// Lists that the query asks for, or its recall needs, or the definition says.
    private func effort(_ query: IndexQuery, _ current: Current, _ state: IVFState, _ linked: UInt32) -> Double {
        if let effort = query.effort { return Double(effort) }
        if let recall = query.recallTarget,
            let measured = current.efforts?.effort(topK: query.topK, recall: recall, vectors: linked)
        {
            return measured
        }
        return Double(
            IVFParameters.probes(
                standardProbes.load(ordering: .relaxed), of: state.model.listCount, recallTarget: query.recallTarget))
    }

    public var searchParameters: Set<String> { ["probes"] }

    public func tune(_ parameters: [String: String]) throws(KithError) {
        standardProbes.store(try IVFParameters.probes(parameters), ordering: .relaxed)
    }

    private static func entries(in probes: Double, _ state: IVFState, _ linked: UInt32) -> Int {
        Int(Double(linked) / Double(max(state.model.listCount, 1)) * probes)
    }

    public var calibration: IndexCalibration? {
        let current = current.withLock { $0 }
        return current.efforts.map { IndexCalibration($0, vectors: current.state?.linkedCount ?? 0) }
    }

    // MARK: Linking

    public func hasWork(upTo slotCount: UInt32) -> Bool {
        if trainer != nil || replacement != nil { return true }
        let current = current.withLock { $0 }
        guard let state = current.state else { return Int(slotCount) >= parameters.trainAt }
        return state.linkedCount < min(slotCount, state.slotLimit) || drift.isDue(state, parameters, context.deaths)
            || calibrator.hasWork(state, current.efforts, upTo: slotCount)
    }

    public func link(upTo slotCount: UInt32, limit: Int, inHurry: Bool) throws(KithError) -> UInt32 {
        let state = state
        if let state, let error = appender.advance(state, upTo: min(slotCount, state.slotLimit), limit: limit) {
            drift.add(error: error)
        }
        let isWanted = state.map { drift.isDue($0, parameters, context.deaths) } ?? (Int(slotCount) >= parameters.trainAt)
        if trainer == nil, replacement == nil, isWanted {
            trainer = try IVFTrainer(
                context, parameters, registry, vectors: state?.linkedCount ?? slotCount, version: trainings + 1)
        }
        try renew(state, limit: 2 * limit)
        try calibrate(upTo: slotCount, limit: limit)
        return linkedCount
    }

    /// Comparisons of a calibration for each vector that might be linked meanwhile.
    private static let calibrationComparisons = 2_048

    private func calibrate(upTo slotCount: UInt32, limit: Int) throws(KithError) {
        let current = current.withLock { $0 }
        // What is about to be replaced is not worth measuring.
        guard let state = current.state, trainer == nil, replacement == nil else { return }
        let comparisons = limit * IVFIndex.calibrationComparisons
        guard
            let efforts = try calibrator.advance(state, current.efforts, upTo: slotCount, comparisons: comparisons)
        else { return }
        self.current.withLock { $0.efforts = efforts }
    }

    /// Goes on with the training, and then with filling the lists of what was learned: at twice the pace of those it follows, so it catches up.
    private func renew(_ state: IVFState?, limit: Int) throws(KithError) {
        if let trainer, let model = try trainer.step() {
            self.trainer = nil
            trainings += 1
            let learned = try IVFState(model)
            if state == nil { publish(learned) } else { replacement = learned }
        }
        guard let state, let successor = replacement else { return }
        _ = appender.advance(successor, upTo: state.linkedCount, limit: limit)
        if successor.linkedCount == state.linkedCount {
            publish(successor)
            replacement = nil
        }
    }

    private func publish(_ state: IVFState) {
        drift = IVFDrift(state)
        current.withLock { $0 = Current(state: state) }
    }

    public func checkpoint() -> IndexCheckpoint {
        let current = current.withLock { $0 }
        var checkpoint = current.state?.checkpoint() ?? IVFState.emptyCheckpoint
        checkpoint.attributes.merge(current.efforts?.attributes ?? [:]) { mine, _ in mine }
        return checkpoint
    }

    /// - Throws: `CORRUPTION` when the lists are not what they must be between two calls of `link`. O(entries).
    package func checkInvariants() throws(KithError) {
        for state in [state, replacement] {
            guard let state else { continue }
            try state.lists.adopt(chunkCount: state.lists.chunkCount, linkedCount: state.linkedCount)
        }
    }

    /// Entries of all lists.
    package var entryCount: Int { state?.lists.entryCount ?? 0 }
}
