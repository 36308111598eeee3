import KithCore
import Synchronization

/// The shards that a lane publishes.
final class RelayShards<Shard: RelayedShard>: Sendable {
    private struct Entry {
        var relay: Shard
        var feed: any ChangeFeed
        var observation: UInt64
    }

    private let entries = Mutex<[ShardID: Entry]>([:])

    var all: [Shard] { entries.withLock { $0.values.map(\.relay) } }

    subscript(shard: ShardID) -> Shard? { entries.withLock { $0[shard]?.relay } }

    func add(_ relay: Shard, of feed: any ChangeFeed, observation: UInt64) {
        entries.withLock { $0[feed.shard] = Entry(relay: relay, feed: feed, observation: observation) }
    }

    func remove(_ shard: ShardID) -> Shard? {
        guard let entry = entries.withLock({ $0.removeValue(forKey: shard) }) else { return nil }
        entry.feed.stopObserving(entry.observation)
        return entry.relay
    }

    /// No commit wakes the relay any more; the shards stay, to be asked for their status.
    func stopObserving() {
        for entry in entries.withLock({ Array($0.values) }) { entry.feed.stopObserving(entry.observation) }
    }
}
