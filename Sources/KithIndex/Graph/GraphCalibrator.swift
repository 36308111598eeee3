internal import KithCore

/// Measures which effort finds how much in a graph, beside the linking. Belongs to the one thread that links.
final class GraphCalibrator {
    /// Nodes below which a scan answers anyway.
    private static let smallestGraph: UInt32 = 5_000
    /// Samples that say too little.
    private static let fewestSamples = 64
    /// Growth since the last calibration that calls for a new one: amid linking, and once everything is linked.
    private static let growth = (underway: 2.0, atRest: 1.1)

    /// The size of answer that most searches want.
    private static let usualSize = 10

    private let metric: Metric
    private let space: SpaceDistance
    private let rows: VectorRows
    private let deaths: SlotDeaths
    private let walk: GraphWalk
    private var sampler = EffortSampler()
    private var calibration: EffortCalibration?

    init(_ context: IndexContext) throws(KithError) {
        metric = context.space.metric
        space = try SpaceDistance(context.space, rows: context.rows)
        rows = context.rows
        deaths = context.deaths
        walk = GraphWalk(context)
    }

    /// Takes note of a slot that is about to be linked.
    func willLink(_ slot: UInt32, in graph: Graph) {
        guard EffortSampler.wants(slot) else { return }
        let visibility = Visibility(deaths: deaths, position: .max, bound: slot)
        let distance = space.query(slot: slot)
        walk.setQuery(rows.row(slot), of: graph)
        sampler.take(slot, highestEffort: Int(graph.linkedCount) / (WalkPlan.comparedPerCandidate * WalkPlan.scanAdvantage)) {
            effort in
            // The bound is about as far as the candidate of rank `effort`, whichever rank it is reckoned from.
            let bounds = WalkBounds(
                topK: min(effort, Self.usualSize), effort: effort, spread: graph.spread, metric: metric)
            // A walk without a stop or a budget always completes.
            _ = try? walk.run(graph, bounds)
            let size = EffortTable.largestSize
            // Nor do rows that are mapped, or were just written, fail to be read; where one does, less is found.
            _ = try? walk.keepNearest(
                size, wanted: size, of: graph, distance, visibility, comparesAll: rows.kernel != nil)
            return walk.scan.nearest.sorted()
        }
    }

    func hasWork(_ graph: Graph, _ efforts: EffortTable?, upTo slotCount: UInt32) -> Bool {
        calibration != nil || isDue(graph, efforts, upTo: slotCount)
    }

    /// Compares about that many rows more; answers what was measured once it is complete.
    func advance(_ graph: Graph, _ efforts: EffortTable?, upTo slotCount: UInt32, comparisons: Int) -> EffortTable? {
        if calibration == nil, isDue(graph, efforts, upTo: slotCount) {
            calibration = EffortCalibration(
                space: space, deaths: deaths, linkedCount: graph.linkedCount, samples: sampler.samples)
        }
        let table = calibration?.advance(comparisons: comparisons)
        if table != nil { calibration = nil }
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
