internal import Foundation
internal import KithCore

/// Turns samples into a table, a piece at a time beside the linking.
///
/// All samples say how much less effort finds of what the most effort found; some of them, compared with everything there is, how much of the
/// truth that is. The second hardly varies between queries, so few scans make as sure as many.
struct EffortCalibration: ~Copyable {
    /// Samples that are compared with everything, at most, and what these comparisons may be.
    private static let exactSamples = 512
    private static let exactComparisons = 1 << 30
    private static let fewestExactSamples = 64

    private let samples: [EffortSample]
    private let deaths: SlotDeaths
    private let linkedCount: UInt32
    /// Of `samples`, those that are compared with everything.
    private let exact: [Int]
    private var neighbours: ExactNeighbours

    /// - Parameters:
    ///   - samples: none of a slot from `linkedCount` on could be found.
    ///   - linkedCount: how far the index is linked.
    init(
        _ samples: [EffortSample], linkedCount: UInt32, _ context: IndexContext, _ space: SpaceDistance, _ forkJoin: ForkJoin
    ) {
        self.samples = samples
        deaths = context.deaths
        self.linkedCount = linkedCount
        let affordable = max(Self.exactComparisons / max(Int(linkedCount), 1), Self.fewestExactSamples)
        let count = min(samples.count, Self.exactSamples, affordable)
        // Those that measured most first, for they are the fewest; else in no order.
        let order = samples.indices.sorted {
            (samples[$1].sizesTried, mixBits(UInt64($0))) < (samples[$0].sizesTried, mixBits(UInt64($1)))
        }
        exact = Array(order.prefix(count))
        neighbours = ExactNeighbours(
            exact.map { (samples[$0].slot, samples[$0].bound) }, count: EffortLadder.largestSize, context, space, forkJoin)
    }

    /// Does about that many comparisons of rows; answers the table once it is complete.
    ///
    /// - Parameter growth: what is known of it from before; nil: there is none.
    mutating func advance(comparisons: Int, growth: EffortGrowth?) -> EffortTable? {
        neighbours.advance(comparisons: comparisons) ? table(growth) : nil
    }

    private func table(_ growth: EffortGrowth?) -> EffortTable {
        let deaths = deaths
        func isLiving(_ slot: UInt32) -> Bool { !deaths.isDead(slot) }
        // A query that died may have been taken off the disk.
        let living = samples.filter { isLiving($0.slot) }
        var all = EffortTally()
        for sample in living { all.addRelative(sample, isLiving) }
        var (some, truth) = (EffortTally(), EffortTally())
        for (number, index) in exact.enumerated() where isLiving(samples[index].slot) {
            some.addRelative(samples[index], isLiving)
            truth.add(samples[index], nearest: neighbours.ranks(number), isLiving)
        }
        let logarithms = living.reduce(0) { $0 + log(Double(max($1.vectors, 1))) }
        let vectors = living.isEmpty ? Double(linkedCount) : exp(logarithms / Double(living.count))
        var table = EffortTable(
            linkedCount: linkedCount, vectors: UInt32(vectors), samples: living.count, at: Date(), growth: growth)
        for size in EffortLadder.sizes.indices {
            for step in all.steps(size: size) {
                guard let relative = all.recall(size: size, step: step), let ofSome = some.recall(size: size, step: step),
                    let exactly = truth.recall(size: size, step: step), ofSome > 0
                else { continue }
                let recall = Float(min(relative * exactly / ofSome, 1))
                table.add(EffortTable.Point(effort: EffortLadder.efforts[step], recall: recall), size: size)
            }
        }
        return table.withGrowth
    }
}
