/// How long to wait before trying again: twice as long each time.
package struct RetryDelay: Sendable {
    /// The wait after the first failure.
    package var first: Duration
    /// The longest.
    package var last: Duration
    private var failures = 0

    package init(first: Duration = .milliseconds(250), last: Duration = .seconds(30)) {
        self.first = first
        self.last = last
    }

    /// The wait after one more failure.
    package mutating func next() -> Duration {
        let delay = min(first * (1 << min(failures, 16)), last)
        failures += 1
        return delay
    }

    /// It works again: the next failure waits for `first`.
    package mutating func reset() { failures = 0 }
}
