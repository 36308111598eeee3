package import KithTelemetry
internal import Synchronization

/// Whether anybody searches, by the count of searches.
package final class RecentSearches: Sendable {
    /// Searches that began longer ago are of no more interest.
    package static let window = Duration.seconds(1)

    private struct Seen {
        var count: UInt64
        var at: ContinuousClock.Instant?
    }

    private let metrics: Metrics
    private let seen: Mutex<Seen>

    /// Searches counted before this are not recent.
    package init(_ metrics: Metrics) {
        self.metrics = metrics
        seen = Mutex(Seen(count: metrics.searches.current))
    }

    /// Whether one was counted since a window before this was last asked. What was counted between two questions counts as of the later.
    package func areGoingOn(at now: ContinuousClock.Instant = .now) -> Bool {
        let count = metrics.searches.current
        return seen.withLock { seen in
            if count != seen.count { seen = Seen(count: count, at: now) }
            return seen.at.map { now - $0 < RecentSearches.window } ?? false
        }
    }
}
