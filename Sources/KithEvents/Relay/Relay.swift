public import KithCore
public import KithTelemetry

/// Publishes change logs to Kafka: every commit of every shard, in order, at least once.
///
/// One thread reads, encodes and produces for all shards; writers only wake it. A broker outage stops nothing but the relay: the logs
/// wait, and each shard goes on after its durable cursor. An event that Kafka refuses stops its shard there, to be tried again; nothing is
/// skipped. Copies of an event carry the same id.
public final class Relay: Sendable {
    private let brokers: String
    private let metrics: Metrics
    private let shards = RelayShards()
    private let trouble = BrokerTrouble()
    private let signal = WakeSignal()
    private let thread: WorkerThread

    /// - Parameter cluster: the cluster's id, which begins every event's id.
    /// - Throws: `INVALID_CONFIGURATION`, naming the property. That no broker answers is no error.
    public init(
        configuration: KafkaConfiguration, cluster: String, metrics: Metrics, options: RelayOptions = RelayOptions()
    ) throws(KithError) {
        brokers = configuration.brokers
        self.metrics = metrics
        let producer = try RelayProducer(configuration: configuration, options: options, trouble: trouble) { [signal] in
            signal.raise()
        }
        thread = WorkerThread(name: "kith-relay") { [shards, signal] stopping in
            let tools = RelayTools(
                producer: producer, encoder: ChangeEventEncoder(cluster: cluster), options: options, metrics: metrics)
            while !stopping() { Relay.turn(shards, tools, signal) }
            producer.shutdown()
            for shard in shards.all { shard.stop() }
        }
    }

    deinit { shutdown() }

    /// Begins to publish a shard, after its durable cursor or from the first commit that is kept.
    ///
    /// - Parameter definition: the collection as it is now; asked again and again, from the relay's thread.
    public func start(
        feed: any ChangeFeed, definition: @escaping @Sendable () -> CollectionDefinition
    ) throws(KithError) {
        stop(feed.shard)
        let shard = try ShardRelay(feed: feed, metrics: metrics, definition: definition)
        let observation = feed.observeCommits { [signal] in signal.raise() }
        shards.add(shard, of: feed, observation: observation)
        signal.raise()
    }

    /// Ends the publishing of a shard and saves its cursor. When it returns the relay has let go of the feed; events on their way may
    /// still reach Kafka.
    public func stop(_ shard: ShardID) { shards.remove(shard)?.stop() }

    /// Sends what has been read, waits for Kafka at most `RelayOptions.flushGrace`, saves the cursors and ends. Again is harmless.
    public func shutdown() {
        thread.requestStop()
        signal.raise()
        thread.join()
        shards.stopObserving()
    }

    /// The shard's last commit that is in Kafka with all before it; nil for a shard that was not started.
    public func published(_ shard: ShardID) -> LogPosition? { shards[shard]?.published }

    public func status() -> RelayStatus {
        RelayStatus(brokers: brokers, trouble: trouble.text, shards: shards.all.map(\.status).sorted { $0.shard < $1.shard })
    }

    /// Gives every shard a turn; sleeps when none has more to do.
    private static func turn(_ shards: RelayShards, _ tools: RelayTools, _ signal: WakeSignal) {
        let all = shards.all
        if tools.producer.closeIfEnded() {
            tools.metrics.publishErrors.add()
            all.forEach { $0.producerEnded(tools) }
        }
        var deadline: ContinuousClock.Instant?
        switch tools.producer.availability() {
        case .waiting(let until): deadline = until
        case .ready(let producer):
            var hasMore = false
            for shard in all {
                switch shard.step(tools, producer) {
                case .more: hasMore = true
                case .wait(let until): deadline = earliest(deadline, until)
                }
            }
            if hasMore { return }
        }
        tools.metrics.relayLag.set(Int(clamping: all.reduce(0) { $0 + $1.status.lag }))
        signal.wait(until: deadline)
    }
}
