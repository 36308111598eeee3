internal import KithCore

/// Measures which effort finds how much in a graph, beside the linking. Belongs to the one thread that links.
final class GraphCalibrator {
    /// Slots below which a scan answers anyway.
    private static let smallestGraph: UInt32 = 5_000
    /// Samples that say too little.
    private static let fewestSamples = 64
    /// Growth since the last calibration that calls for a new one: amid linking, and once everything is linked.
    private static let growth = (underway: 2.0, atRest: 1.1)

    /// The larger an answer, the less its recall varies from query to query, and the more it costs: by size, one sample in so many measures it.
    private static let shares: [UInt64] = [1, 2, 16]

    private let metric: Metric
    private let space: SpaceDistance
    private let rows: VectorRows
    private let deaths: SlotDeaths
    private let walk: GraphWalk
    private var sampler = EffortSampler()
    private var calibration: EffortCalibration?
    /// By size, the most effort worth measuring; nil: as much as there is.
    private var highestEfforts: [Int?]

    init(_ context: IndexContext, _ efforts: EffortTable?) throws(KithError) {
        metric = context.space.metric
        space = try SpaceDistance(context.space, rows: context.rows)
        rows = context.rows
        deaths = context.deaths
        walk = GraphWalk(context)
        highestEfforts = efforts?.highestEfforts ?? EffortLadder.sizes.map { _ in nil }
    }

    // MARK: Samples

    /// Takes note of a slot that is about to be linked.
    func willLink(_ slot: UInt32, in graph: Graph) {
        guard EffortSampler.wants(slot) else { return }
        var sample = EffortSample(slot: slot, bound: slot, vectors: graph.publishedNodes)
        walk.setQuery(rows.row(slot), of: graph)
        let distance = space.query(slot: slot)
        let most = WalkPlan.mostEffort(linked: slot)
        for (size, count) in EffortLadder.sizes.enumerated()
        where EffortLadder.isOne(of: Self.shares[size], slot) {
            for step in EffortLadder.steps(from: count, through: min(highestEfforts[size] ?? most, most)) {
                sample.add(answer(count, EffortLadder.efforts[step], sample, distance, graph), size: size, step: step)
            }
        }
        sampler.add(sample)
    }

    /// What a search for so many finds; nil where it would scan instead.
    private func answer(
        _ count: Int, _ effort: Int, _ sample: EffortSample, _ distance: QueryDistance, _ graph: Graph
    ) -> [UInt64]? {
        let visibility = Visibility(deaths: deaths, position: .max, bound: sample.bound)
        let bounds = WalkBounds(topK: count, effort: effort, spread: graph.spread, metric: metric)
        // Links and rows that are mapped do not fail to be read, nor does anybody stop this; where one does, it is as if nothing was found.
        guard let completed = try? walk.run(graph, bounds, budget: WalkPlan.budget(linked: sample.bound)) else { return [] }
        guard completed else { return nil }
        _ = try? walk.keepNearest(
            count, wanted: count, of: graph, distance, visibility, comparesAll: rows.kernel != nil)
        return Array(walk.scan.nearest.sorted())
    }

    // MARK: Calibrations

    func hasWork(_ graph: Graph, _ efforts: EffortTable?, upTo slotCount: UInt32) -> Bool {
        calibration != nil || isDue(graph, efforts, upTo: slotCount)
    }

    /// Compares about that many rows more; answers what was measured once it is complete.
    func advance(_ graph: Graph, _ efforts: EffortTable?, upTo slotCount: UInt32, comparisons: Int) -> EffortTable? {
        if calibration == nil, isDue(graph, efforts, upTo: slotCount) {
            calibration = EffortCalibration(
                sampler.samples, linkedCount: graph.linkedCount, space: space, deaths: deaths)
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
