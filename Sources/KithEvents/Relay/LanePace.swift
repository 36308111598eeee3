import Foundation
import KithCore

/// The pace of one lane, kept by its thread alone.
final class LanePace {
    /// What comes is judged over so long at least: a shorter burst is no load.
    private static let window = Duration.milliseconds(20)
    private static let longestRest = Duration.seconds(1)
    private static let sliceMicroseconds: UInt32 = 10_000

    private let pace: RelayPace
    private let number: Int
    private var windowBegan = ContinuousClock.now
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
        let elapsed = now - windowBegan
        guard elapsed >= LanePace.window else { return }
        let processorTime = LanePace.threadProcessorTime
        let worked = processorTime - self.processorTime
        (self.processorTime, windowBegan) = (processorTime, now)
        let (arrived, sent) = progress(of: shards)
        let need = sent > 0 ? Double(arrived) / Double(sent) * (worked / elapsed) : 0
        guard let rest = pace.rest(ofLane: number, needing: need, at: now) else { return }
        let end = now + min(worked / rest.share, LanePace.longestRest)
        while ContinuousClock.now < end, !stopping(), !pace.areSpare(rest.processors, since: now, at: .now) {
            usleep(LanePace.sliceMicroseconds)
        }
    }

    /// Commits that have come, and that were sent, in the window.
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
