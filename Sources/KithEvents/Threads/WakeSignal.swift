import Foundation

/// Wakes one thread: raised by any number of others, as often as they like. A raise before the wait is not lost.
final class WakeSignal: @unchecked Sendable {
    // The condition's lock guards the flag.
    private let condition = NSCondition()
    private var isRaised = false

    func raise() {
        condition.lock()
        if !isRaised {
            isRaised = true
            condition.signal()
        }
        condition.unlock()
    }

    /// Returns when raised since the last wait, or at `deadline`.
    func wait(until deadline: ContinuousClock.Instant?) {
        condition.lock()
        while !isRaised {
            guard let deadline else {
                condition.wait()
                continue
            }
            let rest = ContinuousClock.now.duration(to: deadline)
            guard rest > .zero else { break }
            let seconds = Double(rest.components.seconds) + Double(rest.components.attoseconds) / 1e18
            _ = condition.wait(until: Date(timeIntervalSinceNow: seconds))
        }
        isRaised = false
        condition.unlock()
    }
}
