import KithCore
package import KithTelemetry
import Synchronization

/// Leaves the processors to writers while they need them: keeping up with a bulk load takes a third of its speed, or more.
///
/// Where keeping up takes more than `Limits.relayPaceNeed` of a processor and nobody knows of processors to spare for it, lanes rest. All of a
/// node together take `Limits.relayPaceShare` then, and the log holds what waits: until processors are spare, its oldest event is
/// `Limits.relayPaceSeconds` old, or the log is half full. What is spare shows while a lane rests, for it is not the lane that takes it.
package final class RelayPace: Sendable {
    /// How a lane is to rest.
    package struct Rest: Sendable {
        /// What the lane may take of a processor meanwhile.
        package var share: Double
        /// It ends early once so many processors are spare.
        package var processors: Double
    }

    /// Longer than the longest rest: a lane that has said nothing since needs nothing.
    private static let memory = Duration.seconds(2)

    /// What was seen longer ago says nothing of now.
    private static let recent = Duration.milliseconds(200)

    private struct State {
        var idleness: Idleness
        /// When a lane last rested in vain: what was spare then is not left over while lanes work.
        var restedAt: ContinuousClock.Instant?
        /// Processors that each lane would take to keep up, by its number, and when it was so.
        var needs: [Int: (share: Double, at: ContinuousClock.Instant)] = [:]
    }

    private let metrics: Metrics
    private let state: Mutex<State>

    package init(metrics: Metrics, idleness: Idleness = Idleness()) {
        self.metrics = metrics
        state = Mutex(State(idleness: idleness))
    }

    /// What a lane is to do whose thread needs so much of a processor to keep up; nil where it may take that.
    package func rest(ofLane number: Int, needing need: Double, at now: ContinuousClock.Instant) -> Rest? {
        let isLate = metrics.relayOldestSeconds.current >= Limits.relayPaceSeconds
        let isFilling = metrics.changeLogBytes.current >= metrics.changeLogLimit.current / 2
        return state.withLock { state in
            state.needs[number] = (need, now)
            let all = state.needs.values.reduce(0) { now - $1.at < RelayPace.memory ? $0 + $1.share : $0 }
            guard need > 0, all > Limits.relayPaceNeed, !isLate, !isFilling else { return nil }
            let recent = now - RelayPace.recent
            let spare = state.idleness.spareProcessors(since: max(recent, state.restedAt ?? recent), at: now)
            if let spare, spare >= Limits.relayPaceReserve { return nil }
            return Rest(share: Limits.relayPaceShare * need / all, processors: Limits.relayPaceProcessors * all)
        }
    }

    /// Of a lane that rests: whether so many processors are known to have been spare in a window since its rest began.
    package func areSpare(
        _ processors: Double, since began: ContinuousClock.Instant, at now: ContinuousClock.Instant
    ) -> Bool {
        state.withLock { state in
            let isEnough = state.idleness.spareProcessors(since: began, at: now).map { $0 >= processors } ?? false
            state.restedAt = isEnough ? nil : now
            return isEnough
        }
    }
}
