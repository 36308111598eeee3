internal import KithCore

/// A stored vector as a query, and what searches with rising effort found near it.
struct EffortSample {
    /// The vector; it is not among the answers.
    let slot: UInt32
    /// Slots below this could be found.
    let bound: UInt32
    /// Vectors there were to find.
    let vectors: UInt32
    /// By size, as in `EffortLadder.sizes`.
    private(set) var answers = EffortLadder.sizes.map { _ in Answers() }

    /// What searches for so many found.
    struct Answers {
        /// The steps that found a rank.
        fileprivate(set) var found: [UInt64: EffortLadder.Steps] = [:]
        /// The steps that were tried.
        fileprivate(set) var tried: EffortLadder.Steps = 0
        /// Those at which a search gives up and scans, which finds everything.
        fileprivate(set) var scanned: EffortLadder.Steps = 0

        /// The last step that did not scan: the nearest to the truth without a scan.
        var best: Int? {
            let walked = tried & ~scanned
            return walked == 0 ? nil : EffortLadder.Steps.bitWidth - 1 - walked.leadingZeroBitCount
        }

        func has(_ step: Int) -> Bool { tried & 1 << step != 0 }
        func hasScanned(_ step: Int) -> Bool { scanned & 1 << step != 0 }
    }

    init(slot: UInt32, bound: UInt32, vectors: UInt32) {
        self.slot = slot
        self.bound = bound
        self.vectors = vectors
    }

    /// Sizes it has answers of.
    var sizesTried: Int { answers.count { $0.tried != 0 } }

    /// Takes in an answer, at most as many ranks as its size says, without the sample itself; nil: the search scans.
    mutating func add(_ answer: [UInt64]?, size: Int, step: Int) {
        answers[size].tried |= 1 << step
        guard let answer else {
            answers[size].scanned |= 1 << step
            return
        }
        for rank in answer { answers[size].found[rank, default: 0] |= 1 << step }
    }
}
