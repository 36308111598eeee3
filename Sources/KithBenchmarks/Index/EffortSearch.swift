import KithCore

/// How much effort a recall costs.
enum EffortSearch {
    struct Found {
        var effort: Int
        var recall: Double
    }

    /// The least effort, to some three percent, whose recall reaches the target; the most there is where none does.
    static func smallest(
        reaching target: Double, _ recall: (Int) throws(KithError) -> Double
    ) throws(KithError) -> Found {
        var low = 0
        var high = Found(effort: 1, recall: try recall(1))
        while high.recall < target {
            guard high.effort < Limits.searchEffort else { return high }
            low = high.effort
            let effort = min(high.effort * 2, Limits.searchEffort)
            high = Found(effort: effort, recall: try recall(effort))
        }
        while high.effort - low > max(1, high.effort / 32) {
            let middle = (low + high.effort) / 2
            let reached = try recall(middle)
            if reached >= target { high = Found(effort: middle, recall: reached) } else { low = middle }
        }
        return high
    }
}
