internal import Synchronization

/// How often something is searched. Counting takes no lock.
package final class SearchRate: Sendable {
    /// What is counted within one becomes one figure.
    package static let window = Duration.seconds(1)

    private struct Figure {
        var count: UInt64 = 0
        var since: ContinuousClock.Instant
        var perSecond = 0.0
    }

    private let count = Atomic<UInt64>(0)
    private let figure: Mutex<Figure>

    package init(at now: ContinuousClock.Instant = .now) { figure = Mutex(Figure(since: now)) }

    package func note(_ searches: Int = 1) { count.wrappingAdd(UInt64(searches), ordering: .relaxed) }

    /// Searches a second over the last window, or since this was last asked where that is longer ago.
    package func perSecond(at now: ContinuousClock.Instant = .now) -> Double {
        figure.withLock { figure in
            let passed = now - figure.since
            guard passed >= SearchRate.window else { return figure.perSecond }
            let count = count.load(ordering: .relaxed)
            figure = Figure(count: count, since: now, perSecond: Double(count - figure.count) / (passed / .seconds(1)))
            return figure.perSecond
        }
    }
}
