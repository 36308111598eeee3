import KithCore
import KithTelemetry

/// Publishes a group of shards with one transactional producer: their events and their cursors, in the same transactions.
final class ExactlyOnceLane: RelayLane {
    let shards = RelayShards<TransactionalShard>()
    let trouble = BrokerTrouble()
    let signal = WakeSignal()
    let thread: WorkerThread

    init(
        number: Int, configuration: KafkaConfiguration, cluster: String, cursors: CursorTopic,
        preparation: TopicPreparation, pace: RelayPace, metrics: Metrics, options: RelayOptions
    ) throws(KithError) {
        let producer = try RelayProducer(
            configuration: configuration,
            transactionalID: "\(configuration.topicPrefix).relay.\(cluster).\(number)", preparation: preparation,
            options: options, trouble: trouble
        ) { [signal] in signal.raise() }
        thread = WorkerThread(name: "kith-relay-\(number)") { [shards, trouble, signal] stopping in
            GentleThread.become()
            let tools = RelayTools(
                producer: producer, cluster: cluster, events: configuration.eventOptions, options: options, metrics: metrics)
            let transactions = TransactionLoop(
                tools, shards, ProducerSession(lane: number, cursors: cursors, trouble: trouble), trouble: trouble,
                timeout: configuration.transactionTimeout, stopping: stopping)
            let pace = LanePace(pace, lane: number)
            while !stopping() {
                // Nil: there is more to do at once.
                let pause = transactions.turn()
                pace.rest(shards.all, until: stopping)
                if let pause { signal.wait(until: pause.time) }
            }
            transactions.finish()
            producer.close()
            for shard in shards.all { shard.stop() }
        }
    }

    func makeShard(
        _ feed: any ChangeFeed, _ definition: @escaping @Sendable () -> CollectionDefinition
    ) throws(KithError) -> TransactionalShard {
        try TransactionalShard(feed: feed, definition: definition)
    }
}
