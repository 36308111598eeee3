import Foundation
import KithCore
import KithTelemetry
import Synchronization

/// Leaves the processors to writers while they need all of them: keeping up with a bulk load takes a good third of its speed, or more.
///
/// Where keeping up would take more than a share of one processor and the machine has none to spare, all lanes of a node together take that
/// share only, and the log holds the rest until writers are done; at most until its oldest event is `Limits.relayPaceSeconds` old or the log is
/// half full.
final class RelayPace: Sendable {
    /// Longer than the longest rest: a lane that has said nothing since needs nothing.
    private static let memory = Duration.seconds(2)

    private struct State {
        var idleness = Idleness()
        /// Processors that each lane would take to keep up, by its number, and when it was so.
        var needs: [Int: (share: Double, at: ContinuousClock.Instant)] = [:]
    }

    private let metrics: Metrics
    private let state = Mutex(State())

    init(metrics: Metrics) { self.metrics = metrics }

    /// The share of a processor that a lane is to take; nil where it may take what it needs.
    fileprivate func share(ofLane number: Int, needing need: Double) -> Double? {
        let isLate = metrics.relayOldestSeconds.current >= Limits.relayPaceSeconds
        let isFilling = metrics.changeLogBytes.current >= metrics.changeLogLimit.current / 2
        return state.withLock { state in
            let now = ContinuousClock.now
            state.needs[number] = (need, now)
            let all = state.needs.values.reduce(0) { now - $1.at < RelayPace.memory ? $0 + $1.share : $0 }
            guard need > 0, all > Limits.relayPaceShare, !isLate, !isFilling, state.idleness.isSaturated else { return nil }
            return Limits.relayPaceShare * need / all
        }
    }
}

/// The pace of one lane, kept by its thread alone.
final class LanePace {
    private static let sliceMicroseconds: UInt32 = 20_000
    private static let longestRest = Duration.seconds(1)

    private let pace: RelayPace
    private let number: Int
    private var turnEnded = ContinuousClock.now
    private var processorTime = LanePace.threadProcessorTime
    private var arrived: [ShardID: LogPosition] = [:]
    private var sent: [ShardID: LogPosition] = [:]

    /// On the lane's thread.
    init(_ pace: RelayPace, lane number: Int) {
        self.pace = pace
        self.number = number
    }

    /// Ends a turn: sleeps where writers come first.
    func rest(_ shards: [any RelayedShard], until stopping: () -> Bool) {
        let now = ContinuousClock.now
        let processorTime = LanePace.threadProcessorTime
        let worked = processorTime - self.processorTime
        let elapsed = now - turnEnded
        (self.processorTime, turnEnded) = (processorTime, now)
        let (arrived, sent) = progress(of: shards)
        let need = sent > 0 ? Double(arrived) / Double(sent) * (worked / elapsed) : 0
        guard let share = pace.share(ofLane: number, needing: need) else { return }
        let end = now + min(worked / share, LanePace.longestRest)
        while ContinuousClock.now < end, !stopping() { usleep(LanePace.sliceMicroseconds) }
    }

    /// Commits that have come, and that were sent, since the last turn.
    private func progress(of shards: [any RelayedShard]) -> (arrived: UInt64, sent: UInt64) {
        var (comes, goes) = (UInt64(0), UInt64(0))
        for shard in shards {
            let (id, last, position) = (shard.id, shard.last, shard.sent)
            comes += last - min(arrived.updateValue(last, forKey: id) ?? last, last)
            goes += position - min(sent.updateValue(position, forKey: id) ?? position, position)
        }
        return (comes, goes)
    }

    private static var threadProcessorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
