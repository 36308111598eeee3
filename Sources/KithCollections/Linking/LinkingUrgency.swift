import KithTelemetry
import Synchronization

/// How much linking matters to others, and so how it is scheduled.
enum LinkingUrgency: CaseIterable {
    /// Nobody waits for it: it takes what others leave.
    case gentle
    /// Searches scan a long tail, which costs them more than linking does: left to what they leave, it would grow, and they would leave less and less.
    case urgent

    /// Of the tail that a search scans in about the time that a walk takes.
    static let gentleTailBytes = 1 << 20

    /// How much gentler than a search its threads are to be scheduled. A thread can become gentler but not less gentle, so each has its own.
    var niceness: Int32 {
        switch self {
        case .gentle: 19
        case .urgent: 5
        }
    }

    /// Vectors linked in one slice. Short, so that the queue moves on and progress shows; and shorter where a slice can take long, for it is not hurried once begun.
    var sliceVectors: Int {
        switch self {
        case .gentle: 128
        case .urgent: 512
        }
    }
}

/// Whether anybody searches, by the count of searches.
final class RecentSearches: Sendable {
    /// Searches that began longer ago are of no more interest.
    private static let window = Duration.seconds(1)

    private struct Seen {
        var count: UInt64
        var at: ContinuousClock.Instant?
    }

    private let metrics: Metrics
    private let seen: Mutex<Seen>

    init(_ metrics: Metrics) {
        self.metrics = metrics
        seen = Mutex(Seen(count: metrics.searches.current))
    }

    /// Whether one began since a second before this was last asked.
    var areGoingOn: Bool {
        let now = ContinuousClock.now
        let count = metrics.searches.current
        return seen.withLock { seen in
            if count != seen.count { seen = Seen(count: count, at: now) }
            return seen.at.map { now - $0 < RecentSearches.window } ?? false
        }
    }
}
