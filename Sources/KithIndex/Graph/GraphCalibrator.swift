internal import KithCore
internal import Synchronization

/// Measures which effort finds how much in a graph, beside the linking. Belongs to the one thread that links, and those it waits for.
final class GraphCalibrator: @unchecked Sendable {
    /// Slots below which a scan answers anyway.
    private static let smallestGraph: UInt32 = 5_000
    /// Samples that say too little.
    private static let fewestSamples = 64
    /// Growth since the last calibration that calls for a new one: amid linking, and once everything is linked.
    private static let growth = (underway: 2.0, atRest: 1.1)

    /// The larger an answer, the less its recall varies from query to query, and the more it costs: by size, one sample in so many measures it.
    private static let shares: [UInt64] = [1, 1, 16]

    /// In a hurry one sample in so many is taken: each costs as much as a few links.
    private static let hurriedShare: UInt64 = 4

    private let context: IndexContext
    private let space: SpaceDistance
    private let forkJoin: ForkJoin
    /// By worker.
    private let walks: [GraphWalk]
    /// Taken since the last calibration was looked at.
    private let taken = Mutex<[EffortSample]>([])
    private var sampler = EffortSampler()
    private var calibration: EffortCalibration?
    /// By size, the most effort worth measuring; nil: as much as there is.
    private var highestEfforts: [Int?]

    init(_ context: IndexContext, _ efforts: EffortTable?, forkJoin: ForkJoin) throws(KithError) {
        self.context = context
        space = try SpaceDistance(context.space, rows: context.rows)
        self.forkJoin = forkJoin
        walks = (0..<forkJoin.threads).map { _ in GraphWalk(context) }
        highestEfforts = efforts?.highestEfforts ?? EffortLadder.sizes.map { _ in nil }
    }

    // MARK: Samples

    /// Takes note of a slot that is about to be linked; called by several workers at once, while the graph stays as it is.
    func willLink(_ slot: UInt32, in graph: Graph, worker: Int, inHurry: Bool) {
        guard EffortSampler.wants(slot), !inHurry || EffortLadder.isOne(of: Self.hurriedShare, slot) else { return }
        let linked = graph.linkedCount
        var sample = EffortSample(slot: slot, bound: linked, vectors: graph.publishedNodes)
        let walk = walks[worker]
        walk.setQuery(context.rows.row(slot), of: graph)
        let most = WalkPlan.mostEffort(linked: linked)
        for (size, count) in EffortLadder.sizes.enumerated() where EffortLadder.isOne(of: Self.shares[size], slot) {
            let steps = EffortLadder.steps(from: count, through: min(highestEfforts[size] ?? most, most))
            guard let last = steps.last else { continue }
            walk.beginStages(graph, within: bounds(count, step: last, graph))
            for step in steps { sample.add(answer(count, step: step, sample, graph, walk), size: size, step: step) }
        }
        taken.withLock { $0.append(sample) }
    }

    /// What a search for so many finds; nil where it would scan instead.
    private func answer(_ count: Int, step: Int, _ sample: EffortSample, _ graph: Graph, _ walk: GraphWalk) -> [UInt64]? {
        let visibility = Visibility(deaths: context.deaths, position: .max, bound: sample.bound)
        let budget = WalkPlan.budget(linked: sample.bound)
        // Links and rows that are mapped do not fail to be read; where one does, it is as if nothing was found.
        guard let completed = try? walk.runStage(graph, bounds(count, step: step, graph), budget: budget) else { return [] }
        guard completed else { return nil }
        _ = try? walk.keepNearest(
            count, wanted: count, of: graph, space.query(slot: sample.slot), visibility, comparesAll: context.rows.kernel != nil)
        return Array(walk.scan.nearest.sorted())
    }

    private func bounds(_ count: Int, step: Int, _ graph: Graph) -> WalkBounds {
        WalkBounds(topK: count, effort: EffortLadder.efforts[step], spread: graph.spread, metric: context.space.metric)
    }

    // MARK: Calibrations

    func hasWork(_ graph: Graph, _ efforts: EffortTable?, upTo slotCount: UInt32) -> Bool {
        calibration != nil || isDue(graph, efforts, upTo: slotCount)
    }

    /// Compares about that many rows more; answers what was measured once it is complete.
    ///
    /// - Parameter inHurry: only what is due amid linking is measured.
    func advance(
        _ graph: Graph, _ efforts: EffortTable?, upTo slotCount: UInt32, comparisons: Int, inHurry: Bool
    ) -> EffortTable? {
        let new = taken.withLock { samples in
            defer { samples.removeAll() }
            return samples
        }
        for sample in new.sorted(by: { $0.slot < $1.slot }) { sampler.add(sample) }
        if inHurry, Double(graph.linkedCount) < Double(efforts?.linkedCount ?? 0) * Self.growth.underway { return nil }
        if calibration == nil, isDue(graph, efforts, upTo: slotCount) {
            calibration = EffortCalibration(
                sampler.samples, linkedCount: graph.linkedCount, context, space, forkJoin)
        }
        let growth = efforts?.growth ?? EffortGrowth()
        guard let table = calibration?.advance(comparisons: comparisons, growth: growth) else { return nil }
        calibration = nil
        highestEfforts = table.highestEfforts
        return table
    }

    private func isDue(_ graph: Graph, _ efforts: EffortTable?, upTo slotCount: UInt32) -> Bool {
        let linked = graph.linkedCount
        guard linked >= Self.smallestGraph, sampler.samples.count >= Self.fewestSamples else { return false }
        let isAtRest = linked >= min(slotCount, UInt32(graph.layout.capacity))
        let growth = isAtRest ? Self.growth.atRest : Self.growth.underway
        return Double(linked) >= Double(efforts?.linkedCount ?? 0) * growth
    }
}
