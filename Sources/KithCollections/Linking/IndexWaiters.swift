import KithIndex
import Synchronization

/// Writes that are answered once their vectors are linked.
final class IndexWaiters: Sendable {
    private let shard: Shard
    private let waiting = Mutex<[(slotCounts: [UInt32], then: @Sendable () -> Void)]>([])

    init(_ shard: Shard) { self.shard = shard }

    /// Calls `then` when every space has linked its slots below `slotCounts`.
    func add(_ slotCounts: [UInt32], _ then: @escaping @Sendable () -> Void) {
        waiting.withLock { $0.append((slotCounts, then)) }
        fire()
    }

    func fire() {
        let due = waiting.withLock { waiting -> [@Sendable () -> Void] in
            guard !waiting.isEmpty else { return [] }
            let linked = shard.spaces.map { $0.links ? $0.index.linkedCount : .max }
            func isLinked(_ slots: [UInt32]) -> Bool { zip(slots, linked).allSatisfy { $0 <= $1 } }
            let due = waiting.filter { isLinked($0.slotCounts) }.map(\.then)
            waiting.removeAll { isLinked($0.slotCounts) }
            return due
        }
        for then in due { then() }
    }
}
