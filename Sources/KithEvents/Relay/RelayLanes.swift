import KithCore
import KithTelemetry
import Synchronization

/// Which lane publishes which shard.
///
/// At least once needs one lane, for its producer serves any number of partitions at a time. A transaction is a producer's only one, so
/// exactly once has a lane, and a transactional id, for each of `Limits.relayTransactions` groups of shards: up to so many shards have a producer
/// of their own, and one that cannot go on holds up few others. The groups are the same on every server, so that each fences its
/// predecessor.
final class RelayLanes: Sendable {
    private let configuration: KafkaConfiguration
    private let cluster: String
    private let metrics: Metrics
    private let options: RelayOptions
    private let cursors: CursorTopic
    private let preparation: TopicPreparation
    private let pace: RelayPace
    private let lanes = Mutex<[Int: any RelayLane]>([:])

    /// - Throws: `INVALID_CONFIGURATION`: a bad property shows at once, not at the first event.
    init(
        configuration: KafkaConfiguration, cluster: String, metrics: Metrics, options: RelayOptions
    ) throws(KithError) {
        self.configuration = configuration
        self.cluster = cluster
        self.metrics = metrics
        self.options = options
        cursors = CursorTopic(configuration: configuration, cluster: cluster)
        preparation = TopicPreparation(metrics: metrics)
        pace = RelayPace(metrics: metrics)
        _ = try lane(0)
    }

    var all: [any RelayLane] { lanes.withLock { lanes in lanes.keys.sorted().compactMap { lanes[$0] } } }

    /// The lane of a shard, made where it is the first.
    func lane(of shard: ShardID) throws(KithError) -> any RelayLane { try lane(number(of: shard)) }

    subscript(shard: ShardID) -> (any RelayLane)? { lanes.withLock { $0[number(of: shard)] } }

    /// Sends what has been read, and ends.
    func shutdown() {
        let all = all
        all.forEach { $0.requestShutdown() }
        all.forEach { $0.finishShutdown() }
        preparation.shutdown()
    }

    private func number(of shard: ShardID) -> Int {
        guard configuration.delivery == .exactlyOnce else { return 0 }
        return Int((UInt64(shard.collection) + UInt64(shard.shard)) % UInt64(Limits.relayTransactions))
    }

    private func lane(_ number: Int) throws(KithError) -> any RelayLane {
        try lanes.withLock { (lanes) throws(KithError) in
            if let lane = lanes[number] { return lane }
            let lane = try makeLane(number)
            lanes[number] = lane
            return lane
        }
    }

    private func makeLane(_ number: Int) throws(KithError) -> any RelayLane {
        switch configuration.delivery {
        case .atLeastOnce:
            try AtLeastOnceLane(
                configuration: configuration, cluster: cluster, preparation: preparation, pace: pace, metrics: metrics,
                options: options)
        case .exactlyOnce:
            try ExactlyOnceLane(
                number: number, configuration: configuration, cluster: cluster, cursors: cursors, preparation: preparation,
                pace: pace, metrics: metrics, options: options)
        }
    }
}
