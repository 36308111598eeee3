internal import KithCore

/// How many of the wanted the samples found, by size and step.
struct EffortTally {
    private struct Count {
        var wanted = 0
        var found = 0
        var samples = 0
    }
    /// By size, then step.
    private var counts = EffortLadder.sizes.map { _ in EffortLadder.efforts.map { _ in Count() } }

    /// The share found; nil where nobody tried.
    func recall(size: Int, step: Int) -> Double? {
        let count = counts[size][step]
        return count.wanted == 0 ? nil : min(Double(count.found) / Double(count.wanted), 1)
    }

    /// The steps that most samples tried.
    func steps(size: Int) -> [Int] {
        let most = counts[size].map(\.samples).max() ?? 0
        return counts[size].indices.filter { counts[size][$0].samples * 2 > most }
    }

    /// Adds what a sample found of what it found with the most effort, which is nearly all there is.
    mutating func addRelative(_ sample: EffortSample, _ isLiving: (UInt32) -> Bool) {
        for (size, answers) in sample.answers.enumerated() {
            let best = answers.best
            let wanted = best.map { best in
                answers.found.filter { $0.value & 1 << best != 0 && isLiving(Rank(bits: $0.key).slot) }
            }
            add(answers, size: size, wanted: wanted?.count ?? EffortLadder.sizes[size]) { step in
                wanted?.values.count { $0 & 1 << step != 0 } ?? 0
            }
        }
    }

    /// Adds what a sample found of the true nearest.
    mutating func add(_ sample: EffortSample, nearest: [Rank], _ isLiving: (UInt32) -> Bool) {
        let living = nearest.filter { isLiving($0.slot) }
        for (size, answers) in sample.answers.enumerated() {
            // What died since is neither wanted nor found: as many as the best answer has lost.
            let dead = answers.best.map { best in
                answers.found.count { $0.value & 1 << best != 0 && !isLiving(Rank(bits: $0.key).slot) }
            }
            let truth = living.prefix(EffortLadder.sizes[size] - (dead ?? 0))
            // Equals of the farthest are as good as it.
            let radius = truth.last?.distance ?? -.infinity
            let near = answers.found.filter {
                let rank = Rank(bits: $0.key)
                return rank.distance <= radius && isLiving(rank.slot)
            }
            add(answers, size: size, wanted: truth.count) { step in near.values.count { $0 & 1 << step != 0 } }
        }
    }

    private mutating func add(
        _ answers: EffortSample.Answers, size: Int, wanted: Int, found: (_ step: Int) -> Int
    ) {
        for step in EffortLadder.efforts.indices where answers.has(step) {
            counts[size][step].samples += 1
            counts[size][step].wanted += wanted
            counts[size][step].found += answers.hasScanned(step) ? wanted : min(found(step), wanted)
        }
    }
}
