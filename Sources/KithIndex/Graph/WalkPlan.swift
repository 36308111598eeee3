internal import KithCore

/// How wide a search walks, and whether that is cheaper than scanning.
///
/// A filtered walk goes over nodes that do not match and keeps only those that do, so it has to see 1 / selectivity as many nodes,
/// and its cost rises as the filter narrows, while that of a scan of the matches falls. The plan takes the cheaper; a walk that turns
/// out longer, because the matches lie elsewhere than the query, runs into its budget and ends as a scan. So the cost is bounded.
struct WalkPlan {
    /// Rows that scanning compares while walking compares one: memory order is what the hardware likes.
    static let scanAdvantage = 4
    /// Matches that scanning compares meanwhile: their addresses are known ahead. Measured over 100,000 x 128 bytes: 5 ns against 30.
    static let matchScanAdvantage = 5
    /// Nodes that a walk compares for each candidate it keeps, about.
    static let comparedPerCandidate = 24

    /// The rank that has to be found to find the wanted ones, and how many candidates are kept for that: as many times more as the
    /// filter lets fewer through.
    private(set) var topK: Int
    private(set) var effort: Int
    /// Nodes found that may be answered, for the walk to have been wide enough.
    let wanted: Int
    /// Rows that a walk may compare before scanning would have been cheaper.
    let budget: Int

    /// - Parameters:
    ///   - effort: candidates to be kept, of those that match.
    ///   - deadShare: of the nodes, as last estimated; filters match the living alone.
    init(_ query: IndexQuery, effort: Int, linked: UInt32, deadShare: Double) {
        guard !query.exact, query.recallTarget != 1 else {
            (topK, self.effort, wanted, budget) = (query.topK, effort, query.topK, 0)
            return
        }
        guard let filter = query.filter else {
            wanted = query.topK
            topK = Self.nodesToFind(for: query.topK, deadShare: deadShare)
            self.effort = max(Int((Double(effort) / (1 - deadShare)).rounded(.up)), topK)
            budget = Self.budget(linked: linked)
            return
        }
        let matches = filter.count(in: 0..<linked)
        let share = Double(linked) / Double(max(matches, 1))
        topK = Int(min(Double(query.topK) * share, Double(Limits.slots)))
        self.effort = Int(min(Double(effort) * share, Double(Limits.slots)))
        wanted = max(query.topK, effort / 2)
        budget = matches / Self.matchScanAdvantage
    }

    /// Nodes to find for so many living ones: what is expected of a sample of independent nodes, and a standard deviation more. A walk
    /// that finds too few is repeated at twice the width, and where effort is least it would be every time.
    private static func nodesToFind(for living: Int, deadShare: Double) -> Int {
        guard deadShare > 0 else { return living }
        let expected = Double(living) / (1 - deadShare)
        return Int((expected + (expected * deadShare).squareRoot()).rounded(.up))
    }

    /// Rows that a walk without a filter may compare.
    static func budget(linked: UInt32) -> Int { Int(linked) / scanAdvantage }

    /// The effort from which on a search without a filter scans.
    static func mostEffort(linked: UInt32) -> Int { budget(linked: linked) / comparedPerCandidate }

    var comparisons: Int { effort * Self.comparedPerCandidate }

    var isWorthIt: Bool { comparisons < budget }

    /// Plans for twice as many candidates.
    mutating func widen() {
        topK *= 2
        effort *= 2
    }
}
