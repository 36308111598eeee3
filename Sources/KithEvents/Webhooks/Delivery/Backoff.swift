/// Waits between tries: exponential with equal jitter (half the wait is random), so that endpoints that failed together are not all tried again together.
package struct Backoff: Sendable {
    private let first: Duration
    private let last: Duration
    private var random: SplitMix64

    package init(first: Duration, last: Duration, seed: UInt64) {
        self.first = first
        self.last = last
        random = SplitMix64(state: seed)
    }

    /// - Parameter count: failures in a row, from 1.
    package mutating func delay(afterFailures count: Int) -> Duration {
        let whole = min(first * (1 << min(count - 1, 20)), last)
        return whole / 2 + whole / 2 * Double.random(in: 0...1, using: &random)
    }
}

/// Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators": the same seed gives the same waits.
private struct SplitMix64: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
