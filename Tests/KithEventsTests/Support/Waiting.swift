import Foundation

/// Waits until `condition` holds, looking again and again; false after a minute.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = Date(timeIntervalSinceNow: 60)
    let pause = NSCondition()
    while try !condition() {
        guard deadline > Date() else { return false }
        pause.withLock { _ = pause.wait(until: Date(timeIntervalSinceNow: 0.005)) }
    }
    return true
}
