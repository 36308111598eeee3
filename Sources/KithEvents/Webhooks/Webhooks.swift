import Foundation
public import KithCore
public import KithStorage
public import KithTelemetry
import Synchronization

/// All webhooks of a node: posts change events to endpoints, every event at least once, in the order of its shard.
///
/// Each webhook has a thread, a durable cursor a shard, dead letters and a delivery log. The change log waits for the cursors, within limits:
/// a webhook that holds a full log, or whose endpoint is dead, is paused and holds it no more, and says so.
public final class Webhooks: Sendable {
    struct Shard {
        var feed: any ChangeFeed
        var definition: @Sendable () -> CollectionDefinition
    }

    struct State {
        var tools: WebhookTools?
        var shards: [ShardID: Shard] = [:]
        var workers: [String: WebhookWorker] = [:]
    }

    let cluster: String
    private let metrics: Metrics
    let options: WebhookOptions
    let check: WebhookCheck
    let state = Mutex(State())
    /// Held over a change and its writing.
    let changing = NSLock()
    private let isStopping = Atomic(false)
    let tests = Atomic(0)

    /// Idle until `start`.
    public init(cluster: String, metrics: Metrics, options: WebhookOptions = WebhookOptions()) {
        self.cluster = cluster
        self.metrics = metrics
        self.options = options
        check = WebhookCheck(network: options.policy)
    }

    deinit { shutdown() }

    // MARK: Beginning and end

    /// Begins with the webhooks that the database holds, and the shards that are open.
    public func start(_ database: Database, isLogNearlyFull: @escaping @Sendable () -> Bool) throws(KithError) {
        var options = options
        options.isLogNearlyFull = isLogNearlyFull
        let tools = WebhookTools(
            cluster: cluster, store: WebhookStore(database: database), options: options, metrics: metrics)
        try changing.locked { () throws(KithError) in
            state.withLock { $0.tools = tools }
            for webhook in try tools.store.webhooks() { try begin(webhook, tools) }
        }
    }

    /// Ends requests under way, saves the cursors and waits. Again is harmless.
    public func shutdown() {
        isStopping.store(true, ordering: .releasing)
        let workers = state.withLock { Array($0.workers.values) }
        workers.forEach { $0.requestStop() }
        workers.forEach { $0.join() }
    }

    func begin(_ webhook: Webhook, _ tools: WebhookTools) throws(KithError) {
        let worker = try WebhookWorker(webhook, tools)
        for shard in state.withLock({ Array($0.shards.values) }) where webhook.wants(collection: shard.definition().name) {
            try worker.add(shard.feed, shard.definition)
        }
        state.withLock { $0.workers[webhook.name] = worker }
        try worker.start()
    }

    // MARK: Shards

    /// A shard can be followed from now on.
    ///
    /// - Parameter definition: the collection as it is now; asked again and again.
    public func opened(_ feed: any ChangeFeed, definition: @escaping @Sendable () -> CollectionDefinition) throws(KithError) {
        try changing.locked { () throws(KithError) in
            let workers = state.withLock {
                $0.shards[feed.shard] = Shard(feed: feed, definition: definition)
                return Array($0.workers.values)
            }
            let name = definition().name
            for worker in workers where worker.webhook.wants(collection: name) { try worker.add(feed, definition) }
        }
    }

    /// When it returns the shard is not read any more.
    public func closing(_ shard: ShardID) {
        changing.locked {
            let workers = state.withLock {
                $0.shards[shard] = nil
                return Array($0.workers.values)
            }
            workers.forEach { $0.remove(shard) }
        }
    }

    // MARK: Lookups

    /// In order of name.
    public var all: [WebhookStatus] {
        state.withLock { Array($0.workers.values) }.map(\.status).sorted { $0.webhook.name < $1.webhook.name }
    }

    /// - Throws: `WEBHOOK_NOT_FOUND`, about `field`.
    public func status(_ name: String, field: String = "name") throws(KithError) -> WebhookStatus {
        try worker(name, field: field).status
    }

    func worker(_ name: String, field: String) throws(KithError) -> WebhookWorker {
        if name.isEmpty { throw .invalid(.requiredFieldMissing, field: field, "must name a webhook") }
        if let worker = state.withLock({ $0.workers[name] }) { return worker }
        let description = "there is no webhook '\(name.prefix(Limits.nameBytes))'"
        throw KithError(
            .notFound, .webhookNotFound, "\(field): \(description)",
            metadata: ["webhook": String(name.prefix(Limits.nameBytes))],
            violations: [.init(field: field, description: description)])
    }

    func tools() throws(KithError) -> WebhookTools {
        guard let tools = state.withLock({ $0.tools }), !isStopping.load(ordering: .acquiring) else {
            throw KithError(.unavailable, .shuttingDown, "the server is starting or stopping")
        }
        return tools
    }
}

extension NSLock {
    func locked<Answer>(_ body: () throws(KithError) -> Answer) throws(KithError) -> Answer {
        lock()
        defer { unlock() }
        return try body()
    }

    func locked(_ body: () -> Void) {
        lock()
        defer { unlock() }
        body()
    }
}
