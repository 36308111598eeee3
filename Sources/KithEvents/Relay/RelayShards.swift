import KithCore
import Synchronization

/// The shards that a relay publishes.
final class RelayShards: Sendable {
    private struct Entry {
        var relay: ShardRelay
        var feed: any ChangeFeed
        var observation: UInt64
    }

    private let entries = Mutex<[ShardID: Entry]>([:])

    var all: [ShardRelay] { entries.withLock { $0.values.map(\.relay) } }

    subscript(shard: ShardID) -> ShardRelay? { entries.withLock { $0[shard]?.relay } }

    func add(_ relay: ShardRelay, of feed: any ChangeFeed, observation: UInt64) {
        entries.withLock { $0[feed.shard] = Entry(relay: relay, feed: feed, observation: observation) }
    }

    func remove(_ shard: ShardID) -> ShardRelay? {
        guard let entry = entries.withLock({ $0.removeValue(forKey: shard) }) else { return nil }
        entry.feed.stopObserving(entry.observation)
        return entry.relay
    }

    /// No commit wakes the relay any more; the shards stay, to be asked for their status.
    func stopObserving() {
        for entry in entries.withLock({ Array($0.values) }) { entry.feed.stopObserving(entry.observation) }
    }
}
