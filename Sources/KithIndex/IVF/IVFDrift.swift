internal import KithCore

/// Tells when what was learned no longer fits the vectors: they have grown or died too much, lie farther from their centres, or crowd in few lists.
struct IVFDrift {
    /// Growth of the vectors after which more lists are worth it.
    private static let growth: UInt32 = 4
    /// Growth of the error of fresh vectors, over what it was at the training.
    private static let errorGrowth: Float = 1.5
    /// Growth of the imbalance.
    private static let imbalanceGrowth = 2.0
    /// One in this many entries may be dead.
    private static let deadShareLimit = 3
    /// Entries looked at to estimate that share.
    private static let deadShareSample = 256
    /// Vectors after a training before it is asked for again: one in this many.
    private static let restShare: UInt32 = 4
    /// How many means of batches the running mean goes back over.
    private static let memory: Float = 16

    private var recentError: Float?
    private let firstImbalance: Double

    init(_ state: IVFState?) { firstImbalance = state.map { max($0.lists.imbalance, 1.5) } ?? .infinity }

    /// Takes in the mean squared distance of a batch of fresh vectors to their centres.
    mutating func add(error: Float) {
        let recent = recentError ?? error
        recentError = recent + (error - recent) / IVFDrift.memory
    }

    /// Whether a training is worth it.
    func isDue(_ state: IVFState, _ parameters: IVFParameters, _ deaths: SlotDeaths) -> Bool {
        let (linked, trained) = (state.linkedCount, state.model.vectors)
        guard linked >= trained else { return false }
        if isRotten(state.lists, deaths) { return true }
        guard linked >= trained + trained / IVFDrift.restShare else { return false }
        if parameters.lists == 0, linked >= trained.multipliedReportingOverflow(by: IVFDrift.growth).partialValue { return true }
        if let recentError, recentError > IVFDrift.errorGrowth * state.model.error { return true }
        return state.lists.imbalance > IVFDrift.imbalanceGrowth * firstImbalance
    }

    /// Whether too many entries are dead, by a sample that depends on nothing but the lists.
    private func isRotten(_ lists: InvertedLists, _ deaths: SlotDeaths) -> Bool {
        guard lists.entryCount >= IVFDrift.deadShareSample else { return false }
        var (entries, dead) = (0, 0)
        for number in 0..<UInt64(IVFDrift.deadShareSample) {
            guard let slot = lists.sampledSlot(number) else { continue }
            entries += 1
            if deaths.isDead(slot) { dead += 1 }
        }
        return dead * IVFDrift.deadShareLimit > entries
    }
}
