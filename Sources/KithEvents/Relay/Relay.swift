public import KithCore
public import KithTelemetry

/// Publishes change logs to Kafka: every commit of every shard, in order; at least once or, by configuration, exactly once.
///
/// Its threads read, encode and produce; writers only wake them. A broker outage stops nothing but the relay: the logs wait, and each shard
/// goes on after its durable cursor. An event that Kafka refuses stops its shard there, to be tried again; nothing is skipped. Copies of an
/// event carry the same id.
public final class Relay: Sendable {
    private let brokers: String
    private let delivery: DeliveryGuarantee
    private let metrics: Metrics
    private let lanes: RelayLanes
    private let meter: RelayMeter

    /// - Parameter cluster: the cluster's id, which begins every event's id.
    /// - Throws: `INVALID_CONFIGURATION`, naming the property. That no broker answers is no error.
    public init(
        configuration: KafkaConfiguration, cluster: String, metrics: Metrics, options: RelayOptions = RelayOptions()
    ) throws(KithError) {
        brokers = configuration.brokers
        delivery = configuration.delivery
        self.metrics = metrics
        lanes = try RelayLanes(configuration: configuration, cluster: cluster, metrics: metrics, options: options)
        meter = RelayMeter(lanes: lanes, metrics: metrics, interval: options.meterInterval)
    }

    deinit { shutdown() }

    /// Begins to publish a shard, after its durable cursor or from the first commit that is kept.
    ///
    /// - Parameter definition: the collection as it is now; asked again and again, from the relay's threads.
    public func start(
        feed: any ChangeFeed, definition: @escaping @Sendable () -> CollectionDefinition
    ) throws(KithError) { try lanes.lane(of: feed.shard).start(feed, definition) }

    /// Has a shard's definition looked at, though no commit came.
    public func look(at shard: ShardID) { lanes[shard]?.signal.raise() }

    /// Ends the publishing of a shard and saves its cursor. When it returns the relay has let go of the feed; events on their way may
    /// still reach Kafka.
    public func stop(_ shard: ShardID) { lanes[shard]?.stop(shard) }

    /// Sends what has been read, waits for Kafka at most `RelayOptions.flushGrace`, saves the cursors and ends. Again is harmless.
    public func shutdown() {
        lanes.shutdown()
        meter.shutdown()
    }

    /// The shard's last commit that is in Kafka with all before it; nil for a shard that was not started.
    public func published(_ shard: ShardID) -> LogPosition? { lanes[shard]?.published(shard) }

    /// How it stands now, over all shards.
    public func status() -> RelayStatus {
        let all = lanes.all
        let shards = all.flatMap(\.relayedShards).map { shard in
            var status = shard.status
            status.waiting = meter.waiting(status.shard)
            return status
        }
        return RelayStatus(
            brokers: brokers, delivery: delivery, trouble: all.compactMap(\.trouble.text).first,
            eventsPerSecond: meter.rate, publishedEvents: metrics.publishedEvents.current,
            publishedBytes: metrics.publishedBytes.current, errors: metrics.publishErrors.current,
            shards: shards.sorted { $0.shard < $1.shard })
    }
}
