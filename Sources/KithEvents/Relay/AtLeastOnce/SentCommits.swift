import KithCore
import KithTelemetry
import Synchronization

/// One commit whose events are with the producer; hears of each of them.
final class SentCommit: DeliveryReceiver, @unchecked Sendable {
    let position: LogPosition
    private let events: Int
    private let undelivered: Atomic<Int>
    private let bytes = Atomic<Int>(0)
    private let commits: SentCommits

    init(_ position: LogPosition, events: Int, in commits: SentCommits) {
        self.position = position
        self.events = events
        undelivered = Atomic(events)
        self.commits = commits
    }

    var isDelivered: Bool { undelivered.load(ordering: .acquiring) == 0 }
    var byteCount: Int { bytes.load(ordering: .relaxed) }

    /// An event is about to be queued: counted first, since its report may come at once.
    func queued(bytes count: Int) {
        bytes.wrappingAdd(count, ordering: .relaxed)
        commits.unreported.wrappingAdd(1, ordering: .relaxed)
    }

    /// The event was not queued after all.
    func notQueued(bytes count: Int) {
        bytes.wrappingSubtract(count, ordering: .relaxed)
        commits.unreported.wrappingSubtract(1, ordering: .relaxed)
    }

    override func delivered(_ error: KafkaError?) {
        defer { commits.unreported.wrappingSubtract(1, ordering: .releasing) }
        if let error {
            // Never counted down: the watermark stays before this commit.
            commits.fail(error)
            return
        }
        commits.hasDelivered.store(true, ordering: .releasing)
        if undelivered.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
            commits.completed(events: events, bytes: byteCount)
        }
    }
}

/// The commits of a shard between the relay and Kafka, in order, and the watermark: everything up to it is in Kafka.
///
/// A shard that starts again after a failure gets a new one, so that late reports of the old one count for nothing.
final class SentCommits: Sendable {
    private struct State {
        var waiting: [SentCommit] = []
        /// Commits at the front of `waiting` that are done with.
        var done = 0
        var published: LogPosition
        var bytes = 0
        var failure: KafkaError?
    }

    private let state: Mutex<State>
    fileprivate let hasDelivered = Atomic<Bool>(false)
    /// Events queued and not yet reported.
    fileprivate let unreported = Atomic<Int>(0)
    private let metrics: Metrics

    init(after position: LogPosition, metrics: Metrics) {
        state = Mutex(State(published: position))
        self.metrics = metrics
    }

    /// All commits up to this one are in Kafka.
    var published: LogPosition { state.withLock { $0.published } }
    /// Bytes of the commits after it.
    var bytes: Int { state.withLock { $0.bytes } }
    /// Why an event could not be delivered: the first reason, but a lost producer gives way to any other.
    var failure: KafkaError? { state.withLock { $0.failure } }
    /// Whether Kafka has acknowledged any event.
    var isUnderway: Bool { hasDelivered.load(ordering: .acquiring) }
    var isAllReported: Bool { unreported.load(ordering: .acquiring) == 0 }

    /// Adds a commit of which all events have been queued, or none where it has none.
    func append(_ commit: SentCommit) {
        state.withLock { state in
            state.waiting.append(commit)
            state.bytes += commit.byteCount
            SentCommits.advance(&state)
        }
    }

    /// Lets go of what is still on its way: the watermark moves no more.
    func abandon() {
        state.withLock { state in
            state.waiting = []
            state.done = 0
        }
    }

    fileprivate func completed(events: Int, bytes: Int) {
        metrics.publishedEvents.add(events)
        metrics.publishedBytes.add(bytes)
        state.withLock { SentCommits.advance(&$0) }
    }

    fileprivate func fail(_ error: KafkaError) {
        state.withLock { state in
            if state.failure?.isProducerGone ?? true { state.failure = error }
        }
    }

    private static func advance(_ state: inout State) {
        while state.done < state.waiting.count, state.waiting[state.done].isDelivered {
            let commit = state.waiting[state.done]
            // Points read as of a commit may end behind a gap after it.
            state.published = max(state.published, commit.position)
            state.bytes -= commit.byteCount
            state.done += 1
        }
        // Moving the rest is paid for by as many commits taken off.
        if state.done > 0, 2 * state.done >= state.waiting.count {
            state.waiting.removeFirst(state.done)
            state.done = 0
        }
    }
}
