import KithCore
import KithTelemetry

/// Publishes all shards of a node with one idempotent producer.
final class AtLeastOnceLane: RelayLane {
    let shards = RelayShards<ShardRelay>()
    let trouble = BrokerTrouble()
    let signal = WakeSignal()
    let thread: WorkerThread
    private let metrics: Metrics

    init(
        configuration: KafkaConfiguration, cluster: String, metrics: Metrics, options: RelayOptions
    ) throws(KithError) {
        self.metrics = metrics
        let producer = try RelayProducer(configuration: configuration, options: options, trouble: trouble) { [signal] in
            signal.raise()
        }
        thread = WorkerThread(name: "kith-relay") { [shards, signal] stopping in
            GentleThread.become()
            let tools = RelayTools(
                producer: producer, cluster: cluster, events: configuration.eventOptions, options: options, metrics: metrics)
            while !stopping() { AtLeastOnceLane.turn(shards, tools, signal) }
            producer.shutdown()
            for shard in shards.all { shard.stop() }
        }
    }

    func makeShard(
        _ feed: any ChangeFeed, _ definition: @escaping @Sendable () -> CollectionDefinition
    ) throws(KithError) -> ShardRelay {
        try ShardRelay(feed: feed, metrics: metrics, definition: definition)
    }

    /// Gives every shard a turn; sleeps when none has more to do.
    private static func turn(_ shards: RelayShards<ShardRelay>, _ tools: RelayTools, _ signal: WakeSignal) {
        let all = shards.all
        if tools.producer.closeIfEnded() != nil {
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
        signal.wait(until: deadline)
    }
}
