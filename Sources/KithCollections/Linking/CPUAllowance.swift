import KithCore

/// Processor time that work in the background may take: so much a second. A little of it is saved while there is nothing to do; who takes more than there
/// is pays back by waiting.
package struct CPUAllowance: Sendable {
    /// Processor time in a time, such as 0.5 for half of one core; nil: any.
    private let rate: Double?
    /// Nanoseconds left; below zero where more was taken.
    private var balance = 0.0
    private var checkedAt: UInt64?

    /// - Parameter share: of all cores, 0 to 1; 1 does not limit.
    package init(share: Double, cores: Int) { rate = share < 1 ? share * Double(cores) : nil }

    /// Nanoseconds until the next piece of work may begin; 0: now.
    ///
    /// - Parameter now: in nanoseconds of any clock that never goes back.
    package mutating func wait(at now: UInt64) -> UInt64 {
        guard let rate else { return 0 }
        let passed = Double(now - (checkedAt ?? now))
        checkedAt = now
        balance = min(balance + passed * rate, Double(Limits.maintenanceSavingMilliseconds) * 1e6 * rate)
        return balance >= 0 ? 0 : UInt64((-balance / rate).rounded(.up))
    }

    /// Takes what a piece of work has used.
    package mutating func spend(_ nanoseconds: UInt64) { balance -= Double(nanoseconds) }
}
