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
        configuration: KafkaConfiguration, cluster: String, preparation: TopicPreparation, pace: RelayPace,
        metrics: Metrics, options: RelayOptions
    ) throws(KithError) {
        self.metrics = metrics
        let producer = try RelayProducer(
            configuration: configuration, preparation: preparation, options: options, trouble: trouble
        ) { [signal] in signal.raise() }
        thread = WorkerThread(name: "kith-relay") { [shards, signal] stopping in
            GentleThread.become()
            let tools = RelayTools(
                producer: producer, cluster: cluster, events: configuration.eventOptions, options: options, metrics: metrics)
            let pace = LanePace(pace, lane: 0)
            while !stopping() {
                let pause = AtLeastOnceLane.turn(shards, tools)
                pace.rest(shards.all, until: stopping)
                if let pause { signal.wait(until: pause.time) }
            }
            producer.shutdown()
            for shard in shards.all { shard.stop() }
        }
    }

    func makeShard(
        _ feed: any ChangeFeed, _ definition: @escaping @Sendable () -> CollectionDefinition
    ) throws(KithError) -> ShardRelay {
        try ShardRelay(feed: feed, metrics: metrics, definition: definition)
    }

    /// Gives every shard a turn; answers nil where one has more to do at once.
    private static func turn(_ shards: RelayShards<ShardRelay>, _ tools: RelayTools) -> RelayPause? {
        let all = shards.all
        if tools.producer.closeIfEnded() != nil {
            tools.metrics.publishErrors.add()
            all.forEach { $0.producerEnded(tools) }
        }
        switch tools.producer.availability() {
        case .waiting(let until): return RelayPause(time: until)
        case .ready(let producer):
            var deadline: ContinuousClock.Instant?
            var hasMore = false
            for shard in all {
                switch shard.step(tools, producer) {
                case .more: hasMore = true
                case .wait(let until): deadline = earliest(deadline, until)
                }
            }
            return hasMore ? nil : RelayPause(time: earliest(deadline, tools.producer.tendTrouble()))
        }
    }
}
