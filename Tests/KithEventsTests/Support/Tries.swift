import Foundation

/// Counts the turns of a relay, which asks for the definition in each.
final class Tries: @unchecked Sendable {
    // Guards the number; broadcast when it grows.
    private let condition = NSCondition()
    private var number = 0

    var count: Int { condition.withLock { number } }

    func add() {
        condition.withLock {
            number += 1
            condition.broadcast()
        }
    }

    /// Waits until there have been so many; false after a minute.
    func wait(for count: Int) -> Bool {
        let deadline = Date(timeIntervalSinceNow: 60)
        return condition.withLock {
            while number < count {
                guard condition.wait(until: deadline) else { return false }
            }
            return true
        }
    }
}
