internal import KithCore
internal import Synchronization

/// Room for one query and what it was answered, written by the thread that searched and read by the one that measures. Whoever finds it in
/// use passes on: nobody waits.
final class AnsweredQuery: @unchecked Sendable {
    private enum State {
        static let empty = 0
        static let inUse = 1
        static let full = 2
    }

    private let state = Atomic(State.empty)
    let vector: UnsafeMutableRawPointer
    private let vectorBytes: Int
    private let answer: UnsafeMutablePointer<Neighbour>
    private(set) var topK = 0
    private(set) var slotCount: UInt32 = 0
    /// The recall that the search asked for; nil where it chose its effort itself, or asked for nothing.
    private(set) var wantedRecall: Float?
    private var answerCount = 0

    init(vectorBytes: Int) {
        self.vectorBytes = vectorBytes
        vector = .allocate(byteCount: vectorBytes, alignment: 64)
        answer = .allocate(capacity: Limits.measuredTopK)
    }

    deinit {
        vector.deallocate()
        answer.deallocate()
    }

    var neighbours: UnsafeBufferPointer<Neighbour> { UnsafeBufferPointer(start: answer, count: answerCount) }

    /// Takes the place of what is there, unless that is being measured. O(bytes); allocates nothing.
    func fill(_ query: IndexQuery, slotCount: UInt32, _ found: [Neighbour]) {
        guard enter(from: State.empty) || enter(from: State.full) else { return }
        vector.copyMemory(from: query.vector, byteCount: vectorBytes)
        topK = query.topK
        wantedRecall = query.effort == nil ? query.recallTarget : nil
        self.slotCount = slotCount
        answerCount = min(found.count, Limits.measuredTopK)
        for index in 0..<answerCount { answer[index] = found[index] }
        state.store(State.full, ordering: .releasing)
    }

    /// Empties it, where it is full.
    func take<Result>(_ body: () throws(KithError) -> Result) throws(KithError) -> Result? {
        guard enter(from: State.full) else { return nil }
        defer { state.store(State.empty, ordering: .releasing) }
        return try body()
    }

    func clear() {
        if enter(from: State.full) { state.store(State.empty, ordering: .releasing) }
    }

    private func enter(from expected: Int) -> Bool {
        state.compareExchange(expected: expected, desired: State.inUse, ordering: .acquiring).exchanged
    }
}
