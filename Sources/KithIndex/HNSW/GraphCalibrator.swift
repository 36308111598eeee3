import KithCore

/// Measures which effort finds how much in a graph, beside the linking. Belongs to the one thread that links.
final class GraphCalibrator {
    /// Nodes below which a scan answers anyway.
    private static let smallestGraph: UInt32 = 5_000
    /// Samples that say too little.
    private static let fewestSamples = 64
    /// Growth since the last calibration that calls for a new one: amid linking, and once everything is linked.
    private static let growth = (underway: 2.0, atRest: 1.1)

    private let space: SpaceDistance
    private let deaths: SlotDeaths
    private var scratch = SearchScratch()
    private var sampler = EffortSampler()
    private var calibration: EffortCalibration?

    init(space: SpaceDistance, deaths: SlotDeaths) {
        self.space = space
        self.deaths = deaths
    }

    /// Takes note of a slot that is about to be linked.
    func willLink(_ slot: UInt32, in graph: Graph) {
        guard EffortSampler.wants(slot), let entry = graph.entryPoint else { return }
        let distance = space.query(slot: slot)
        let start = scratch.descend(graph, distance, from: entry, to: 0)
        let visibility = Visibility(deaths: deaths, position: .max, bound: slot)
        sampler.take(slot, highestEffort: Int(graph.linkedCount) / (graph.m * HNSWIndex.scanAdvantage)) { effort in
            _ = scratch.walk(graph, distance, level: 0, from: start, WalkLimits(width: effort, visibility: visibility))
            return scratch.nearest.sorted()
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
        guard linked >= GraphCalibrator.smallestGraph, sampler.samples.count >= GraphCalibrator.fewestSamples else {
            return false
        }
        let isAtRest = linked >= min(slotCount, Limits.graphSlots)
        let growth = isAtRest ? GraphCalibrator.growth.atRest : GraphCalibrator.growth.underway
        return Double(linked) >= Double(efforts?.linkedCount ?? 0) * growth
    }
}
