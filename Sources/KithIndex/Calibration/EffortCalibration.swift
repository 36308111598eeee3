import KithCore

/// Turns samples into a table: finds what their searches should have found, by a scan, a piece at a time beside the linking.
///
/// Rows are compared in blocks that stay in the cache for all samples: a calibration costs passes of arithmetic, not of memory.
struct EffortCalibration: ~Copyable {
    private let space: SpaceDistance
    private let visibility: Visibility
    private let samples: [EffortSample]
    private var scratch = SearchScratch()
    /// Rows below this have been compared.
    private var scanned: UInt32 = 0
    /// By sample: the nearest of them, nearest first.
    private var nearest: [[UInt64]]

    /// - Parameter samples: of slots up to `linkedCount`.
    init(space: SpaceDistance, deaths: SlotDeaths, linkedCount: UInt32, samples: [EffortSample]) {
        self.space = space
        self.samples = samples
        visibility = Visibility(deaths: deaths, position: .max, bound: linkedCount)
        nearest = Array(repeating: [], count: samples.count)
    }

    /// Does about that many comparisons of rows; answers the table once it is complete.
    mutating func advance(comparisons: Int) -> EffortTable? {
        var left = comparisons
        while left > 0, scanned < visibility.bound { left -= scanBlock() }
        return scanned == visibility.bound ? table() : nil
    }

    private mutating func scanBlock() -> Int {
        let end = min(scanned + UInt32(SearchScratch.blockSize), visibility.bound)
        for (index, sample) in samples.enumerated() where sample.slot > scanned {
            scratch.nearest.reset(limit: EffortTable.largestSize)
            for bits in nearest[index] { scratch.nearest.insert(Rank(bits: bits)) }
            // A search before the slot was linked could find just those before it.
            scratch.compare(scanned..<min(end, sample.slot), space.query(slot: sample.slot), visibility)
            nearest[index].removeAll(keepingCapacity: true)
            nearest[index].append(contentsOf: scratch.nearest.sorted())
        }
        defer { scanned = end }
        return Int(end - scanned) * max(samples.count, 1)
    }

    private func table() -> EffortTable {
        var table = EffortTable(linkedCount: visibility.bound)
        let measured = samples.map(\.answers.count).max() ?? 0
        for (step, effort) in EffortTable.efforts.prefix(measured).enumerated() {
            for (size, count) in EffortTable.sizes.enumerated() where count <= effort {
                let recall = recall(step: step, count: count)
                table.add(EffortTable.Point(effort: effort, recall: recall), size: size)
            }
        }
        return table
    }

    /// The share that all samples found of their nearest `count`, with the effort of a step.
    private func recall(step: Int, count: Int) -> Float {
        var found = 0
        var wanted = 0
        for (index, sample) in samples.enumerated() {
            // What died since is neither wanted nor found. Equals of the farthest are as good as it.
            let truth = living(nearest[index], count)
            let answer = living(sample.answers[min(step, sample.answers.count - 1)], count)
            guard let farthest = truth.last?.distance else { continue }
            wanted += truth.count
            found += answer.count { $0.distance <= farthest }
        }
        return wanted == 0 ? 1 : min(Float(found) / Float(wanted), 1)
    }

    private func living(_ ranks: [UInt64], _ count: Int) -> [Rank] {
        var living: [Rank] = []
        for rank in ranks.lazy.map(Rank.init(bits:)) where living.count < count && visibility.admits(rank.slot) {
            living.append(rank)
        }
        return living
    }
}

extension SearchScratch {
    /// Keeps in `nearest` what is near enough of at most a block of rows.
    fileprivate mutating func compare(_ range: Range<UInt32>, _ distance: QueryDistance, _ visibility: Visibility) {
        distance.scan(from: range.lowerBound, count: range.count, into: distances)
        for slot in range {
            let rank = Rank(distance: distances[Int(slot - range.lowerBound)], slot: slot)
            if nearest.wants(rank), visibility.admits(slot) { nearest.insert(rank) }
        }
    }
}
