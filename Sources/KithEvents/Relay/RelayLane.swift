import KithCore
import KithTelemetry

/// A shard as the relay's threads and others share it.
protocol RelayedShard: AnyObject, Sendable {
    var id: ShardID { get }
    /// The last commit there is.
    var last: LogPosition { get }
    /// All commits up to this one have been handed to the producer.
    var sent: LogPosition { get }
    /// All commits up to this one are in Kafka.
    var published: LogPosition { get }
    var status: RelayStatus.Shard { get }
    /// Counts what is not in Kafka, as far as `limit` bytes; nothing for a shard that has stopped.
    func waiting(limit: Int) -> WaitingCommits
    /// Saves the cursor; the feed is not read again.
    func stop()
}

/// Until when a lane has nothing to do; nil is until something happens.
struct RelayPause {
    var time: ContinuousClock.Instant?
}

/// A thread with a producer of its own, and the shards that it publishes.
protocol RelayLane: AnyObject, Sendable {
    associatedtype Shard: RelayedShard

    var shards: RelayShards<Shard> { get }
    var trouble: BrokerTrouble { get }
    var signal: WakeSignal { get }
    var thread: WorkerThread { get }

    /// Begins after the feed's durable cursor, which is made where there is none: from here on the log waits for Kafka.
    func makeShard(
        _ feed: any ChangeFeed, _ definition: @escaping @Sendable () -> CollectionDefinition
    ) throws(KithError) -> Shard
}

extension RelayLane {
    func start(_ feed: any ChangeFeed, _ definition: @escaping @Sendable () -> CollectionDefinition) throws(KithError) {
        stop(feed.shard)
        let shard = try makeShard(feed, definition)
        let observation = feed.observeCommits { [signal] in signal.raise() }
        shards.add(shard, of: feed, observation: observation)
        signal.raise()
    }

    func stop(_ shard: ShardID) { shards.remove(shard)?.stop() }

    func requestShutdown() {
        thread.requestStop()
        signal.raise()
    }

    func finishShutdown() {
        thread.join()
        shards.stopObserving()
    }

    func published(_ shard: ShardID) -> LogPosition? { shards[shard]?.published }

    var relayedShards: [any RelayedShard] { shards.all }
}
