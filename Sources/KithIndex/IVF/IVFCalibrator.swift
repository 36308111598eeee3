internal import KithCore

/// Measures how many lists find how much, beside the linking. Belongs to the one thread that links.
///
/// The samples are stored vectors that nothing was learned from, looked for without themselves.
final class IVFCalibrator {
    /// Samples of one calibration.
    private static let samples = 4_096
    /// By size, one in so many of them measures it: larger answers vary less and cost more.
    private static let shares: [UInt64] = [1, 2, 4]
    /// Those that are tried with any number of lists, to see how many are worth trying.
    private static let scouts = 64
    /// Growth since the last calibration that calls for a new one: amid linking, and once everything is linked.
    private static let growth = (underway: 2.0, atRest: 1.1)
    /// Of all lists, those that a measurement may look into: with more, a scan is not far.
    private static let listShare = 2

    /// One calibration, of one state.
    private struct Underway: ~Copyable {
        let state: IVFState
        let linkedCount: UInt32
        var waiting: [UInt32]
        var samples: [EffortSample] = []
        var highestEfforts: [Int?] = EffortLadder.sizes.map { _ in nil }
        var exact: EffortCalibration?
    }

    private let context: IndexContext
    private let space: SpaceDistance
    private let rescore: Int
    private var scratch = SearchScratch()
    private let own: IVFScratch
    private var underway: Underway?

    init(_ context: IndexContext, _ parameters: IVFParameters) throws(KithError) {
        self.context = context
        own = IVFScratch(context)
        space = try SpaceDistance(context.space, rows: context.rows)
        rescore = parameters.rescore
    }

    func hasWork(_ state: IVFState, _ efforts: EffortTable?, upTo slotCount: UInt32) -> Bool {
        underway != nil || isDue(state, efforts, upTo: slotCount)
    }

    /// Does about that many comparisons; answers what was measured once it is complete.
    func advance(
        _ state: IVFState, _ efforts: EffortTable?, upTo slotCount: UInt32, comparisons: Int
    ) throws(KithError) -> EffortTable? {
        guard underway != nil || isDue(state, efforts, upTo: slotCount) else { return nil }
        var current = underway.take() ?? begin(state)
        // What took the place of the state that was measured has to be measured itself.
        if current.state !== state { current = begin(state) }
        var left = comparisons
        while left > 0, let slot = current.waiting.popLast() { left -= try measure(slot, &current) }
        var table: EffortTable?
        if current.waiting.isEmpty {
            if current.exact == nil {
                current.exact = EffortCalibration(
                    current.samples, linkedCount: current.linkedCount, context, space, ForkJoin(threads: 0))
            }
            table = current.exact?.advance(comparisons: left, growth: nil)
        }
        if table == nil { underway = consume current }
        return table
    }

    private func isDue(_ state: IVFState, _ efforts: EffortTable?, upTo slotCount: UInt32) -> Bool {
        let linked = state.linkedCount
        // A model is measured once what it was learned from is in its lists.
        guard linked > 0, linked >= min(state.model.vectors, slotCount) else { return false }
        let isAtRest = linked >= min(slotCount, state.slotLimit)
        let growth = isAtRest ? Self.growth.atRest : Self.growth.underway
        return Double(linked) >= Double(efforts?.linkedCount ?? 0) * growth
    }

    private func begin(_ state: IVFState) -> Underway {
        let linked = state.linkedCount
        let heldOut = (0..<linked).filter { IVFTrainer.holdsOut($0) && !context.deaths.isDead($0) }
        let count = min(Self.samples, heldOut.count)
        let slots = (0..<count).map { heldOut[$0 * heldOut.count / count] }
        // In no order: the first of them stand for all.
        return Underway(state: state, linkedCount: linked, waiting: slots.sorted { mixBits(UInt64($0)) < mixBits(UInt64($1)) })
    }

    /// Answers about how many comparisons that took.
    private func measure(_ slot: UInt32, _ current: inout Underway) throws(KithError) -> Int {
        let state = current.state
        var sample = EffortSample(slot: slot, bound: current.linkedCount, vectors: current.linkedCount)
        let most = max(state.model.listCount / Self.listShare, 1)
        var lists = 0
        for size in EffortLadder.sizes.indices
        where EffortLadder.isOne(of: Self.shares[size], slot) {
            for step in EffortLadder.steps(from: 1, through: min(current.highestEfforts[size] ?? most, most)) {
                sample.add(try answer(slot, size: size, step: step, current), size: size, step: step)
                lists += EffortLadder.efforts[step]
            }
        }
        current.samples.append(sample)
        if current.samples.count == Self.scouts { scout(&current) }
        return lists * (Int(current.linkedCount) / state.model.listCount + 1)
    }

    private func answer(_ slot: UInt32, size: Int, step: Int, _ current: borrowing Underway) throws(KithError) -> [UInt64]? {
        let count = EffortLadder.sizes[size]
        let visibility = Visibility(deaths: context.deaths, position: .max, bound: current.linkedCount)
        // One more, which is the vector itself.
        let query = IndexQuery(vector: context.rows.row(slot), topK: count + 1)
        let search = IVFSearch(
            state: current.state, distance: space.query(slot: slot), visibility: visibility,
            probes: EffortLadder.efforts[step], rescore: rescore, besides: 1)
        guard try search.run(query, &scratch, own) else { return nil }
        return Array(scratch.nearest.sorted().filter { Rank(bits: $0).slot != slot }.prefix(count))
    }

    /// Tells by the first samples how many lists the others need look into.
    private func scout(_ current: inout Underway) {
        var tally = EffortTally()
        for sample in current.samples { tally.addRelative(sample) { !context.deaths.isDead($0) } }
        let enough = 1 - Double(EffortTable.worthMeasuring)
        current.highestEfforts = EffortLadder.sizes.indices.map { size in
            tally.steps(size: size).first { (tally.recall(size: size, step: $0) ?? 0) >= enough }.map { step in
                EffortLadder.efforts[min(step + 1, EffortLadder.efforts.count - 1)]
            }
        }
    }
}
