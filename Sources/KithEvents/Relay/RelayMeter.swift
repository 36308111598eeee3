import Foundation
import KithCore
import KithTelemetry
import Synchronization

/// Looks once a second how far the relay is behind, for metrics and status.
final class RelayMeter: Sendable {
    private let reading: RelayReading
    private let signal = WakeSignal()
    private let thread: WorkerThread

    init(lanes: RelayLanes, metrics: Metrics, interval: Duration) {
        let reading = RelayReading(lanes: lanes, metrics: metrics)
        self.reading = reading
        thread = WorkerThread(name: "kith-relay-meter") { [signal] stopping in
            GentleThread.become()
            while !stopping() {
                reading.take()
                signal.wait(until: .now + interval)
            }
            // The last one counts what the lanes did until they ended.
            reading.take()
        }
    }

    func shutdown() {
        thread.requestStop()
        signal.raise()
        thread.join()
    }

    func waiting(_ shard: ShardID) -> WaitingCommits { reading.waiting(shard) }

    /// Events a second that Kafka has acknowledged lately.
    var rate: Double { reading.rate }
}

/// What was seen lately.
private final class RelayReading: Sendable {
    /// Readings over which the rate is averaged.
    private static let window = 10

    private struct State {
        var waiting: [ShardID: WaitingCommits] = [:]
        /// Events published so far, and when that was looked at; the oldest first.
        var published: [(events: UInt64, at: ContinuousClock.Instant)] = []
    }

    private let lanes: RelayLanes
    private let metrics: Metrics
    private let state = Mutex(State())

    init(lanes: RelayLanes, metrics: Metrics) {
        self.lanes = lanes
        self.metrics = metrics
    }

    func waiting(_ shard: ShardID) -> WaitingCommits { state.withLock { $0.waiting[shard] ?? WaitingCommits() } }

    var rate: Double {
        state.withLock { state in
            guard let first = state.published.first, let last = state.published.last, last.at > first.at else { return 0 }
            return Double(last.events - first.events) / (first.at.duration(to: last.at) / .seconds(1))
        }
    }

    func take() {
        let shards = lanes.all.flatMap(\.relayedShards)
        let limit = Limits.relayMeterBytes / max(shards.count, 1)
        let waiting = Dictionary(shards.map { ($0.status.shard, $0.waiting(limit: limit)) }) { $1 }
        state.withLock { state in
            state.waiting = waiting
            state.published.append((metrics.publishedEvents.current, .now))
            state.published.removeFirst(max(0, state.published.count - RelayReading.window - 1))
        }
        let now = Int64(Date().timeIntervalSince1970 * 1e6)
        metrics.relayLag.set(Int(clamping: waiting.values.reduce(0) { $0 + $1.commits }))
        metrics.relayWaitingEvents.set(Int(clamping: waiting.values.reduce(0) { $0 + $1.events }))
        metrics.relayWaitingBytes.set(Int(clamping: waiting.values.reduce(0) { $0 + $1.bytes }))
        metrics.relayOldestSeconds.set(Int(waiting.values.map { $0.age(at: now) }.max()?.components.seconds ?? 0))
        metrics.relayFailingShards.set(shards.count { $0.status.failure != nil })
    }
}
