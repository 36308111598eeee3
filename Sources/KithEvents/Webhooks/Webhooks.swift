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
    private struct Shard {
        var feed: any ChangeFeed
        var definition: @Sendable () -> CollectionDefinition
    }

    private struct State {
        var tools: WebhookTools?
        var shards: [ShardID: Shard] = [:]
        var workers: [String: WebhookWorker] = [:]
    }

    private let cluster: String
    private let metrics: Metrics
    private let options: WebhookOptions
    private let check: WebhookCheck
    private let state = Mutex(State())
    /// Held over a change and its writing.
    private let changing = NSLock()
    private let isStopping = Atomic(false)
    private let tests = Atomic(0)

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

    private func begin(_ webhook: Webhook, _ tools: WebhookTools) throws(KithError) {
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

    private func worker(_ name: String, field: String) throws(KithError) -> WebhookWorker {
        if name.isEmpty { throw .invalid(.requiredFieldMissing, field: field, "must name a webhook") }
        if let worker = state.withLock({ $0.workers[name] }) { return worker }
        let description = "there is no webhook '\(name.prefix(Limits.nameBytes))'"
        throw KithError(
            .notFound, .webhookNotFound, "\(field): \(description)",
            metadata: ["webhook": String(name.prefix(Limits.nameBytes))],
            violations: [.init(field: field, description: description)])
    }

    private func tools() throws(KithError) -> WebhookTools {
        guard let tools = state.withLock({ $0.tools }), !isStopping.load(ordering: .acquiring) else {
            throw KithError(.unavailable, .shuttingDown, "the server is starting or stopping")
        }
        return tools
    }

    // MARK: Changes

    /// Makes a webhook, which begins with the next commit, or with the first one that is kept.
    ///
    /// - Parameter wanted: what clients may set; a random secret where it has none.
    /// - Returns: with its secret, which is never told again.
    public func create(_ wanted: Webhook, fromEarliest: Bool) throws(KithError) -> Webhook {
        try check.check(wanted)
        return try changing.locked { () throws(KithError) in
            let tools = try tools()
            try refuseTaken(wanted.name)
            var webhook = wanted
            webhook.id = try tools.store.nextID()
            webhook.createdAt = WebhookTools.now()
            webhook.updatedAt = webhook.createdAt
            if webhook.secrets.isEmpty { webhook.secrets = [.random()] }
            note(&webhook, starting: state.withLock { Array($0.shards.values) }, fromEarliest: fromEarliest)
            // The cursors follow: after a crash between, `starts` says where they belong.
            try tools.store.put(webhook, nextID: webhook.id + 1)
            try begin(webhook, tools)
            return webhook
        }
    }

    private func refuseTaken(_ name: String) throws(KithError) {
        let (isTaken, count) = state.withLock { ($0.workers[name] != nil, $0.workers.count) }
        if isTaken {
            throw KithError(
                .alreadyExists, .webhookExists, "webhook.name: '\(name)' is taken", metadata: ["webhook": name],
                violations: [.init(field: "webhook.name", description: "'\(name)' is taken")])
        }
        if count >= Limits.webhooks {
            throw KithError(
                .resourceExhausted, .limitExceeded, "there are \(count) webhooks, the limit is \(Limits.webhooks)",
                metadata: ["value": "\(count)", "limit": "\(Limits.webhooks)"])
        }
    }

    private func note(_ webhook: inout Webhook, starting shards: [Shard], fromEarliest: Bool = false) {
        for shard in shards where webhook.wants(collection: shard.definition().name) {
            webhook.starts[shard.feed.shard.description] =
                fromEarliest ? shard.feed.firstPosition - 1 : shard.feed.lastPosition
        }
    }

    /// Changes a webhook by `change`, which sees it as it is. Collections that it had not wanted before begin with the next commit.
    public func update(
        _ name: String, etag: String, _ change: (inout Webhook) throws(KithError) -> Void
    ) throws(KithError) -> WebhookStatus {
        try changing.locked { () throws(KithError) in
            _ = try tools()
            let worker = try worker(name, field: "webhook.name")
            let old = worker.webhook
            guard etag.isEmpty || etag == old.etag else {
                throw KithError(
                    .aborted, .etagMismatch, "etag: is '\(etag.prefix(64))', the webhook's is '\(old.etag)'",
                    metadata: ["etag": String(etag.prefix(64)), "current": old.etag],
                    violations: [.init(field: "etag", description: "the webhook's is '\(old.etag)'")])
            }
            var wanted = old
            try change(&wanted)
            try check.check(wanted)
            let shards = state.withLock { Array($0.shards.values) }
            let (before, after) = (
                shards.filter { old.wants(collection: $0.definition().name) },
                shards.filter { wanted.wants(collection: $0.definition().name) }
            )
            let added = after.filter { shard in !before.contains { $0.feed.shard == shard.feed.shard } }
            let removed = before.filter { shard in !after.contains { $0.feed.shard == shard.feed.shard } }
            for shard in removed { worker.remove(shard.feed.shard) }
            var starts: [String: LogPosition] = [:]
            for shard in added { starts[shard.feed.shard.description] = shard.feed.lastPosition }
            let (changed, begun) = (wanted, starts)
            try worker.change { (turn) throws(KithError) in
                try turn.change { webhook, _ in
                    webhook.description = changed.description
                    webhook.url = changed.url
                    webhook.collections = changed.collections
                    webhook.operations = changed.operations
                    webhook.mode = changed.mode
                    webhook.batchEvents = changed.batchEvents
                    webhook.encoding = changed.encoding
                    webhook.vectors = changed.vectors
                    webhook.timeoutMilliseconds = changed.timeoutMilliseconds
                    webhook.attempts = changed.attempts
                    webhook.secrets = changed.secrets
                    for shard in removed { webhook.starts[shard.feed.shard.description] = nil }
                    webhook.starts.merge(begun) { $1 }
                }
            }
            for shard in removed { try shard.feed.removeCursor(old.cursor) }
            for shard in added { try worker.add(shard.feed, shard.definition) }
            return worker.status
        }
    }

    /// A new secret signs beside the one before, for so long.
    public func rotateSecret(_ name: String, to secret: WebhookSecret, keepingSeconds: Int) throws(KithError) -> WebhookStatus {
        try changing.locked { () throws(KithError) in
            _ = try tools()
            let worker = try worker(name, field: "name")
            let until = WebhookTools.now() + Int64(keepingSeconds) * 1_000_000
            try worker.change { (turn) throws(KithError) in
                try turn.change { webhook, _ in
                    var before = webhook.secrets.first
                    before?.until = until
                    webhook.secrets = [secret] + (keepingSeconds > 0 ? [before].compactMap { $0 } : [])
                }
            }
            return worker.status
        }
    }

    /// Deletes a webhook with its cursors, dead letters and delivery log.
    public func delete(_ name: String) throws(KithError) {
        try changing.locked { () throws(KithError) in
            let tools = try tools()
            let worker = try worker(name, field: "name")
            worker.requestStop()
            worker.join()
            let webhook = worker.webhook
            // The cursors first: a crash between leaves a webhook to be deleted again, not a cursor that nobody moves.
            for shard in state.withLock({ Array($0.shards.values) }) { try shard.feed.removeCursor(webhook.cursor) }
            try tools.store.remove(webhook)
            state.withLock { $0.workers[name] = nil }
        }
    }

    public func pause(_ name: String) throws(KithError) -> WebhookStatus {
        try changing.locked { () throws(KithError) in
            _ = try tools()
            let worker = try worker(name, field: "name")
            return try worker.change { (turn) throws(KithError) in
                if turn.webhook.state == .active { turn.stop(.paused, .requested, "", releasesLog: false) }
                return turn.status
            }
        }
    }

    /// Delivers again, from where it stood; the answer counts the commits that the log no longer keeps.
    public func resume(_ name: String) throws(KithError) -> (status: WebhookStatus, missedCommits: UInt64) {
        try changing.locked { () throws(KithError) in
            _ = try tools()
            let worker = try worker(name, field: "name")
            return try worker.change { (turn) throws(KithError) in
                let missed = turn.webhook.state == .active ? 0 : try turn.resume()
                return (turn.status, missed)
            }
        }
    }

    // MARK: Deliveries and dead letters

    /// The newest first.
    public func deliveries(
        _ name: String, before: UInt64, limit: Int
    ) throws(KithError) -> [(number: UInt64, record: DeliveryRecord)] {
        try tools().store.deliveries(of: try worker(name, field: "webhook").webhook.id, before: before, limit: limit)
    }

    /// In order of id, after one.
    public func deadLetters(_ name: String, after id: String, limit: Int) throws(KithError) -> [DeadLetter] {
        try tools().store.letters(.dead, of: try worker(name, field: "webhook").webhook.id, after: id, limit: limit)
    }

    /// Queues dead letters for one more attempt, all where `ids` is empty; answers how many.
    public func redeliver(_ name: String, ids: [String]) throws(KithError) -> Int {
        _ = try tools()
        guard ids.count <= Limits.webhookRedeliveries else {
            throw .limit(field: "ids", value: ids.count, limit: Limits.webhookRedeliveries, unit: "ids")
        }
        return try worker(name, field: "webhook").change { (turn) throws(KithError) in try turn.queue(ids) }
    }

    /// Posts an event that says so to the endpoint, whatever the webhook's state, and answers what came back. Blocks.
    public func test(_ name: String) throws(KithError) -> DeliveryRecord {
        let tools = try tools()
        let worker = try worker(name, field: "name")
        guard tests.add(1, ordering: .relaxed).newValue <= Limits.webhookTests else {
            tests.subtract(1, ordering: .relaxed)
            throw KithError(
                .resourceExhausted, .limitExceeded, "\(Limits.webhookTests) tests of webhooks are under way",
                metadata: ["limit": "\(Limits.webhookTests)"], retryAfterMilliseconds: 1_000)
        }
        defer { tests.subtract(1, ordering: .relaxed) }
        let webhook = worker.webhook
        let client = try WebhookWorker.client(tools.options) { false }
        let probe = WebhookProbe(webhook, cluster: cluster, time: WebhookTools.now())
        let clock = ContinuousClock()
        let began = clock.now
        let result = client.post(probe.request)
        let record = probe.record(result, duration: clock.now - began)
        try worker.change { (turn) throws(KithError) in turn.append(record) }
        return record
    }
}

extension NSLock {
    fileprivate func locked<Answer>(_ body: () throws(KithError) -> Answer) throws(KithError) -> Answer {
        lock()
        defer { unlock() }
        return try body()
    }

    fileprivate func locked(_ body: () -> Void) {
        lock()
        defer { unlock() }
        body()
    }
}
