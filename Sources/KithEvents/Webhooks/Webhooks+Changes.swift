public import KithCore
import Synchronization

/// Making, changing and deleting webhooks: one change at a time, written before it is answered.
extension Webhooks {
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

    /// Delivers no more until `resume`; the change log waits meanwhile. One that does not deliver stays as it is.
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
}
