import KithCore
import KithTelemetry
import Synchronization

/// The relay of one shard, as the relay's thread and others share it.
final class ShardRelay: RelayedShard {
    /// What others see while a turn is on.
    private struct Shown {
        var commits: SentCommits
        var sent: LogPosition
        var topic: String
        var failure: KithError?
        var snapshot: StateSnapshot
    }

    private let feed: any ChangeFeed
    private let definition: @Sendable () -> CollectionDefinition
    private let turn: Mutex<ShardTurn>
    private let shown: Mutex<Shown>

    /// Begins after the durable cursor, which is made where there is none: from here on the log waits for Kafka.
    init(
        feed: any ChangeFeed, metrics: Metrics, definition: @escaping @Sendable () -> CollectionDefinition
    ) throws(KithError) {
        self.feed = feed
        self.definition = definition
        let turn = try ShardTurn(feed: feed, metrics: metrics, definition: definition)
        shown = Mutex(Shown(commits: turn.commits, sent: turn.sent, topic: "", failure: nil, snapshot: turn.snapshot))
        self.turn = Mutex(turn)
    }

    var id: ShardID { feed.shard }
    var last: LogPosition { feed.lastPosition }
    var sent: LogPosition { shown.withLock { $0.sent } }
    var published: LogPosition { shown.withLock { $0.commits }.published }

    var status: RelayStatus.Shard {
        let shown = shown.withLock { $0 }
        return RelayStatus.Shard(
            shard: feed.shard, topic: shown.topic, published: shown.commits.published, last: last,
            failure: shown.failure, stateSnapshot: shown.snapshot.progress(isKept: definition().events.state))
    }

    func waiting(limit: Int) -> WaitingCommits { change { $0.waiting(limit: limit) } }

    /// One turn, on the relay's thread.
    func step(_ tools: RelayTools, _ producer: KafkaProducer) -> ShardTurn.Next {
        change { $0.step(tools, producer) }
    }

    /// What the producer that has ended did not deliver is sent again by the next one.
    func producerEnded(_ tools: RelayTools) { change { $0.producerEnded(tools) } }

    /// Saves the cursor; the feed is not read again.
    func stop() { change { $0.stop() } }

    private func change<Answer: Sendable>(_ body: (inout ShardTurn) -> Answer) -> Answer {
        turn.withLock { turn in
            let answer = body(&turn)
            shown.withLock {
                $0 = Shown(
                    commits: turn.commits, sent: turn.sent, topic: turn.topic, failure: turn.failure?.error,
                    snapshot: turn.snapshot)
            }
            return answer
        }
    }
}
