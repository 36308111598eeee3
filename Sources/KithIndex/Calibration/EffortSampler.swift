import KithCore

/// A vector that was about to be linked, and what searches with rising effort found near it.
struct EffortSample {
    let slot: UInt32
    /// Ranks, nearest first, by effort as in `EffortTable.efforts`; fewer where more effort changed nothing.
    var answers: [[UInt64]] = []
}

/// Takes vectors as sample queries just before they are linked: the index has not seen them, and they are what the data is like.
///
/// Stored vectors, left out one at a time, would not do: a graph that was built with a vector has lost the links that it stood for.
struct EffortSampler {
    /// One slot in `slot / density` is a sample, so that the second half of any number of slots holds `density * ln 2` of them.
    private static let density: UInt32 = 512
    /// Slots below which a scan answers anyway.
    private static let firstSlot: UInt32 = 2_000

    private(set) var samples: [EffortSample] = []

    /// Whether a slot is one to sample; depends on nothing but its number.
    static func wants(_ slot: UInt32) -> Bool {
        slot >= firstSlot && mixBits(UInt64(slot) << 32) % UInt64(max(slot / density, 1)) == 0
    }

    /// Searches for a slot that `wants` wants, and lets go of samples of the first half.
    ///
    /// - Parameter search: answers what a search of that effort finds, nearest first.
    mutating func take(_ slot: UInt32, highestEffort: Int, search: (_ effort: Int) -> UnsafeBufferPointer<UInt64>) {
        var sample = EffortSample(slot: slot)
        for effort in EffortTable.efforts where effort <= max(highestEffort, EffortTable.largestSize * 2) {
            let answer = Array(search(effort).prefix(EffortTable.largestSize))
            if effort > EffortTable.largestSize, answer == sample.answers.last { break }
            sample.answers.append(answer)
        }
        samples.append(sample)
        samples.removeFirst(samples.firstIndex { $0.slot >= slot / 2 } ?? 0)
    }
}
