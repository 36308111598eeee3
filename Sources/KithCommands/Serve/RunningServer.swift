import Foundation
import KithAPI
import KithCollections
import KithCore
import KithEvents
import KithTelemetry

/// The whole product in this process: the node, the relay beside it, the server before it.
final class RunningServer: Sendable {
    let node: Node
    let relay: Relay?
    let webhooks: Webhooks
    let server: Server
    /// Nil where nobody scrapes.
    let metrics: MetricsListener?
    /// Nil where processors may sleep as they like.
    let cpuLatency: CPULatencyRequest?
    /// How long opening the data took.
    let recovery: Duration

    /// Listens when it returns.
    init(_ settings: ServerSettings) throws(KithError) {
        cpuLatency = try settings.cpuLatencyMicroseconds.map { (microseconds) throws(KithError) in
            try CPULatencyRequest(microseconds: microseconds)
        }
        let metrics = Metrics()
        self.metrics = settings.metricsListen.isEmpty ? nil : try MetricsListener(settings.metricsListen, metrics)
        relay = try RunningServer.relay(settings, metrics)
        webhooks = Webhooks(cluster: settings.cluster, metrics: metrics, options: settings.webhooks)
        var configuration = Node.Configuration(dataDirectory: settings.data)
        configuration.linkThreads =
            settings.linkThreads > 0 ? settings.linkThreads : max(1, ProcessInfo.processInfo.activeProcessorCount / 2)
        configuration.maintenanceCPUShare = settings.maintenanceCPUShare
        configuration.tailSearchShare = settings.tailSearchShare
        configuration.changeLogBytes = settings.changeLogBytes
        configuration.changeLogFull = settings.changeLogFull
        configuration.blockCacheBytes = settings.blockCacheBytes
        configuration.memoryBudgetBytes = settings.memoryBudgetBytes
        let clock = ContinuousClock()
        let began = clock.now
        do throws(KithError) {
            node = try Node(
                configuration, metrics: metrics, observer: EventsObserver(relay: relay, webhooks: webhooks),
                describer: NodeFacts(cluster: settings.cluster))
            try relay?.start(feed: node.log) { CollectionDefinition(name: "", spaces: []) }
        } catch {
            relay?.shutdown()
            throw error
        }
        recovery = clock.now - began
        var front = Server.Configuration(address: settings.listen)
        front.cluster = settings.cluster
        // Without a relay nobody would read what is recorded.
        if relay != nil { front.audit = settings.eventsAudit }
        if settings.searchThreads > 0 { front.searchThreads = settings.searchThreads }
        do throws(KithError) {
            let budget = node.budget
            try webhooks.start(node.database) { budget.bytes * 100 >= budget.limit * Limits.webhookLogPercent }
            server = try Server(front, node: node, relay: relay, webhooks: webhooks)
        } catch {
            webhooks.shutdown()
            relay?.shutdown()
            node.close()
            throw error
        }
    }

    /// Lets requests in progress finish, then closes everything, front to back. Blocks.
    func stop(drainSeconds: Int) {
        server.stop(graceMilliseconds: drainSeconds * 1_000)
        webhooks.shutdown()
        relay?.shutdown()
        node.close()
    }

    private static func relay(_ settings: ServerSettings, _ metrics: Metrics) throws(KithError) -> Relay? {
        guard !settings.kafkaBrokers.isEmpty else { return nil }
        var kafka = KafkaConfiguration(
            brokers: settings.kafkaBrokers, topicPrefix: settings.kafkaTopicPrefix,
            replicationFactor: settings.kafkaReplicationFactor > 0 ? settings.kafkaReplicationFactor : nil,
            delivery: settings.kafkaDelivery, properties: settings.kafkaProperties)
        kafka.auditsCommits = settings.eventsAudit != .off
        if settings.eventsAuditDays > 0 { kafka.auditRetention = .seconds(settings.eventsAuditDays * 86_400) }
        kafka.nodeEncoding = settings.eventsEncoding
        return try Relay(
            configuration: kafka, cluster: settings.cluster, metrics: metrics,
            options: RelayOptions(publishesGaps: settings.changeLogFull == .trim))
    }
}

/// Follows each collection from when it opens until it closes: the relay, where there is one, and the webhooks.
private struct EventsObserver: CatalogueObserver {
    private static let log = Log("events")
    let relay: Relay?
    let webhooks: Webhooks

    func opened(_ collection: KithCollections.Collection) {
        for shard in collection.shards {
            do throws(KithError) {
                try relay?.start(feed: shard) { collection.definition }
                try webhooks.opened(shard) { collection.definition }
            } catch {
                EventsObserver.log.error(
                    "changes of a shard are not published", ["shard": shard.id.description, "error": error.description])
            }
        }
    }

    func altered(_ collection: KithCollections.Collection) {
        for shard in collection.shards { relay?.look(at: shard.id) }
    }

    func closing(_ collection: KithCollections.Collection) {
        for shard in collection.shards {
            relay?.stop(shard.id)
            webhooks.closing(shard.id)
        }
    }
}
