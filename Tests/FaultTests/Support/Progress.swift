import Foundation
import Synchronization

/// Counts what a test waits for.
final class Progress: @unchecked Sendable {
    // Guards the number; broadcast when it grows.
    private let condition = NSCondition()
    private var number = 0
    private var limit = Int.max

    var count: Int { condition.withLock { number } }

    /// Those who count go no further until they are allowed to; any number of them may be one step ahead.
    func allow(upTo limit: Int) {
        condition.withLock {
            self.limit = limit
            condition.broadcast()
        }
    }

    /// Waits until there is leave to go on, or `isOver`.
    func waitForLeave(unless isOver: () -> Bool) {
        condition.withLock { while number >= limit, !isOver() { condition.wait() } }
    }

    func add() {
        condition.withLock {
            number += 1
            condition.broadcast()
        }
    }

    /// Something else has changed.
    func signal() { condition.withLock { condition.broadcast() } }

    /// Returns at the next change of anything, or after a second.
    func waitForChange() { condition.withLock { _ = condition.wait(until: Date(timeIntervalSinceNow: 1)) } }

    /// Waits until the number is that; false after two minutes.
    func wait(for goal: Int) -> Bool {
        let deadline = Date(timeIntervalSinceNow: 120)
        return condition.withLock {
            while number < goal {
                guard condition.wait(until: deadline) else { return false }
            }
            return true
        }
    }
}

/// Raised once, for other threads to see.
final class Flag: Sendable {
    private let value = Atomic(false)

    var isRaised: Bool { value.load(ordering: .relaxed) }
    func raise() { value.store(true, ordering: .relaxed) }
}
