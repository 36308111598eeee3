import KithCore
import KithIndex
import Synchronization

/// Writes that are answered once their vectors are linked.
final class IndexWaiters: Sendable {
    typealias Answer = @Sendable (KithError?) -> Void

    private struct State {
        var waiting: [(slotCounts: [UInt32], answer: Answer)] = []
        var closed = false
    }
    private let shard: Shard
    private let state = Mutex(State())

    init(_ shard: Shard) { self.shard = shard }

    /// Calls `answer` when every space has linked its slots below `slotCounts`.
    func add(_ slotCounts: [UInt32], _ answer: @escaping Answer) {
        let closed = state.withLock { state in
            if !state.closed { state.waiting.append((slotCounts, answer)) }
            return state.closed
        }
        if closed { answer(IndexWaiters.closing) } else { fire() }
    }

    func fire() {
        let due = state.withLock { state -> [Answer] in
            guard !state.waiting.isEmpty else { return [] }
            let indexes = shard.spaces.map(\.index)
            func isLinked(_ slotCounts: [UInt32]) -> Bool {
                zip(indexes, slotCounts).allSatisfy { MaintainedIndex.tail(of: $0, slotCount: $1) == 0 }
            }
            let due = state.waiting.filter { isLinked($0.slotCounts) }.map(\.answer)
            state.waiting.removeAll { isLinked($0.slotCounts) }
            return due
        }
        for answer in due { answer(nil) }
    }

    /// Nothing is linked any more: tells those who wait, and those to come.
    func close() {
        let left = state.withLock { state in
            state.closed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiting in left { waiting.answer(IndexWaiters.closing) }
    }

    private static let closing = KithError(
        .unavailable, .shuttingDown, "the write is committed and durable, but the server stops before its vectors are linked",
        metadata: ["committed": "true"])
}
