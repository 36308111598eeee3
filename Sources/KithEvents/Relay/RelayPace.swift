import Foundation
import KithCore
import KithTelemetry

/// Leaves the processors to writers while they need all of them: keeping up with a bulk load takes a good third of its speed, or more.
///
/// Where keeping up would take more than a share of one processor and the machine has none to spare, a lane takes that share only, and the
/// log holds the rest until writers are done; at most until its oldest event is `Limits.relayPaceSeconds` old or the log is half full.
///
/// Used by the lane's thread alone.
final class RelayPace {
    private let metrics: Metrics
    private var idleness = Idleness()
    private var turnEnded = ContinuousClock.now
    private var processorTime = RelayPace.threadProcessorTime
    private var arrived: [ShardID: LogPosition] = [:]
    private var sent: [ShardID: LogPosition] = [:]

    init(metrics: Metrics) { self.metrics = metrics }

    /// Ends a turn: sleeps where writers come first.
    func rest(_ shards: [any RelayedShard], until stopping: () -> Bool) {
        let now = ContinuousClock.now
        let processorTime = RelayPace.threadProcessorTime
        let worked = processorTime - self.processorTime
        let elapsed = now - turnEnded
        (self.processorTime, turnEnded) = (processorTime, now)
        let (arrived, sent) = progress(of: shards)
        guard sent > 0, isWorthIt(arrived: arrived, sent: sent, worked: worked, elapsed: elapsed) else { return }
        let end = now + min(worked / Limits.relayPaceShare, .seconds(1))
        while ContinuousClock.now < end, !stopping() { usleep(RelayPace.sliceMicroseconds) }
    }

    private static let sliceMicroseconds: UInt32 = 20_000

    private func isWorthIt(arrived: UInt64, sent: UInt64, worked: Duration, elapsed: Duration) -> Bool {
        let needed = Double(arrived) / Double(sent) * (worked / elapsed)
        guard needed > Limits.relayPaceShare, idleness.isSaturated else { return false }
        let isLate = metrics.relayOldestSeconds.current >= Limits.relayPaceSeconds
        return !isLate && metrics.changeLogBytes.current < metrics.changeLogLimit.current / 2
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

/// How much of the machine's processors nobody uses, as Linux counts it.
private struct Idleness {
    private static let window = Duration.milliseconds(100)
    /// Below it a thread more takes time from others.
    private static let saturated = 0.25

    private var ticks: (idle: UInt64, all: UInt64)?
    private var readAt = ContinuousClock.now
    private var share = 1.0

    var isSaturated: Bool {
        mutating get {
            if ContinuousClock.now - readAt >= Idleness.window { read() }
            return share < Idleness.saturated
        }
    }

    private mutating func read() {
        readAt = .now
        guard let now = Idleness.ticks() else { return }
        if let ticks, now.all > ticks.all { share = Double(now.idle - min(ticks.idle, now.idle)) / Double(now.all - ticks.all) }
        ticks = now
    }

    /// Nil where /proc/stat does not tell.
    private static func ticks() -> (idle: UInt64, all: UInt64)? {
        guard let file = fopen("/proc/stat", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 512)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        // cpu user nice system idle iowait irq softirq steal guest guest_nice: the last two are in the first two.
        let fields = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .split(separator: " ").dropFirst().prefix(8).compactMap { UInt64($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        guard fields.count == 8 else { return nil }
        return (fields[3] + fields[4], fields.reduce(0, +))
    }
}
