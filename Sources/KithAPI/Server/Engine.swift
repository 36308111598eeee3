import KithCollections
import KithCore
import KithEvents
import KithTelemetry

/// What handlers work on.
final class Engine: Sendable {
    let node: Node
    let relay: Relay?
    let webhooks: Webhooks
    let cluster: String
    let searchPool: WorkPool
    let streams: StreamRegistry
    let health: HealthState

    init(node: Node, relay: Relay?, webhooks: Webhooks, cluster: String, searchThreads: Int) {
        self.node = node
        self.relay = relay
        self.webhooks = webhooks
        self.cluster = cluster
        searchPool = WorkPool(name: "kith.search", threads: searchThreads, limit: Limits.searchQueue)
        streams = StreamRegistry(metrics: node.metrics)
        health = HealthState()
    }

    var catalogue: Catalogue { node.catalogue }

    func countSearchError() { node.metrics.searchErrors.add() }
}
