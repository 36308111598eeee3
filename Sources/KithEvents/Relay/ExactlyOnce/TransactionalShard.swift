import KithCore
import KithTelemetry
import Synchronization

/// The relay of one shard, exactly once, as the lane's thread and others share it.
final class TransactionalShard: RelayedShard {
    /// What others see while a turn is on.
    private struct Shown {
        var published: LogPosition
        var sent: LogPosition
        var topic = ""
        var failure: KithError?
        var snapshot: StateSnapshot
    }

    let feed: any ChangeFeed
    private let definition: @Sendable () -> CollectionDefinition
    private let turn: Mutex<TransactionalTurn>
    private let shown: Mutex<Shown>

    init(feed: any ChangeFeed, definition: @escaping @Sendable () -> CollectionDefinition) throws(KithError) {
        self.feed = feed
        self.definition = definition
        let turn = try TransactionalTurn(feed: feed, definition: definition)
        shown = Mutex(Shown(published: turn.published, sent: turn.sent, snapshot: turn.snapshot))
        self.turn = Mutex(turn)
    }

    var id: ShardID { feed.shard }
    var last: LogPosition { feed.lastPosition }
    var sent: LogPosition { shown.withLock { $0.sent } }
    var published: LogPosition { shown.withLock { $0.published } }

    var status: RelayStatus.Shard {
        let shown = shown.withLock { $0 }
        return RelayStatus.Shard(
            shard: feed.shard, topic: shown.topic, published: shown.published, last: last, failure: shown.failure,
            stateSnapshot: shown.snapshot.progress(isKept: definition().events.state))
    }

    func waiting(limit: Int) -> WaitingCommits { change { $0.waiting(limit: limit) } }

    /// Changes the turn, and shows what others may see of it.
    func change<Answer>(_ body: (inout TransactionalTurn) -> Answer) -> Answer {
        var answer: Answer?
        turn.withLock { turn in
            answer = body(&turn)
            shown.withLock {
                $0 = Shown(
                    published: turn.published, sent: turn.sent, topic: turn.topic, failure: turn.failure?.error,
                    snapshot: turn.snapshot)
            }
        }
        // Set by the line above.
        return answer.unsafelyUnwrapped
    }

    func stop() { change { $0.stop() } }
}
