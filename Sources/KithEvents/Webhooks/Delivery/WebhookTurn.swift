import KithCore
import KithTelemetry

/// Where one webhook is: which events go next, and what an answer means. Its worker's thread and callers of the API take turns.
struct WebhookTurn: Sendable {
    enum Next: Sendable {
        case send(Parcel)
        /// Commits wake the worker in any case.
        case wait(until: ContinuousClock.Instant)
    }

    let tools: WebhookTools
    var webhook: Webhook
    var lanes: [Lane] = []
    var backoff: Backoff
    /// Whose turn it is among the lanes.
    private var turn = 0
    /// Of the endpoint as a whole.
    var failures = 0
    var failingSince: ContinuousClock.Instant?
    var retryAt: ContinuousClock.Instant?
    var lastError = ""
    private var missedCommits: UInt64 = 0
    var letters: LetterBox
    var nextDelivery: UInt64
    private var checkAt = ContinuousClock.now
    private var shownLag = 0

    init(_ webhook: Webhook, _ tools: WebhookTools) throws(KithError) {
        self.webhook = webhook
        self.tools = tools
        let options = tools.options
        backoff = Backoff(first: options.firstRetry, last: options.lastRetry, seed: options.seed ?? UInt64.random(in: 0...(.max)))
        letters = try LetterBox(webhook.id, tools.store)
        nextDelivery = try tools.store.nextDelivery(of: webhook.id)
        if webhook.state != .active { tools.metrics.webhooksStopped.add(1) }
    }

    var status: WebhookStatus {
        WebhookStatus(
            webhook: webhook, lag: lanes.reduce(0) { $0 + $1.lag }, missedCommits: missedCommits, failures: failures,
            lastError: lastError, deadLetters: letters.dead, queuedLetters: letters.queued)
    }

    // MARK: Shards

    /// Follows a shard, after its durable cursor.
    mutating func add(_ feed: any ChangeFeed, _ definition: @escaping @Sendable () -> CollectionDefinition) throws(KithError) {
        let cursor = try feed.cursor(webhook.cursor).flatMap { $0 == Lane.released ? nil : $0 }
        let start = cursor ?? webhook.starts[feed.shard.description] ?? feed.firstPosition - 1
        var lane = Lane(
            feed: feed, after: min(start, feed.lastPosition), batchLimit: webhook.batchLimit, definition: definition)
        if cursor == nil {
            if webhook.holdsLog {
                try lane.saveCursor(webhook.cursor)
            } else {
                try feed.saveCursor(webhook.cursor, at: Lane.released)
            }
        }
        lanes.append(lane)
    }

    /// Follows a shard no more. The caller sees to the cursor.
    mutating func remove(_ shard: ShardID) { lanes.removeAll { $0.feed.shard == shard } }

    // MARK: What to do next

    mutating func next(_ encoder: ChangeEventEncoder) -> Next {
        if checkAt <= .now {
            checkAt = .now + .milliseconds(Limits.webhookCheckMilliseconds)
            releaseLogIfDue()
            showLag()
        }
        saveCursors(force: false)
        guard webhook.state == .active else { return .wait(until: checkAt) }
        if let retryAt, retryAt > .now { return .wait(until: wakeTime(retryAt)) }
        if let letter = letters.next(tools.store) { return .send(parcel(letter)) }
        for _ in lanes.indices {
            turn = (turn + 1) % lanes.count
            if let parcel = nextParcel(encoder) { return .send(parcel) }
        }
        let soonest = lanes.reduce(nil) { earliest($0, $1.hasMore ? $1.retryAt ?? .now : nil) }
        return .wait(until: wakeTime(soonest))
    }

    /// The events that go next from the lane whose turn it is; nil where there are none.
    private mutating func nextParcel(_ encoder: ChangeEventEncoder) -> Parcel? {
        if let retryAt = lanes[turn].retryAt, retryAt > .now { return nil }
        if lanes[turn].pending.isEmpty {
            let held = lanes.reduce(0) { $0 + $1.pendingBytes }
            guard lanes[turn].hasMore, held < Limits.webhookWindowBytes else { return nil }
            do throws(KithError) {
                missedCommits += try lanes[turn].read(webhook, encoder, tools.metrics)
            } catch {
                postpone(turn, error)
                return nil
            }
        }
        let count = webhook.mode == .batch ? lanes[turn].batchLimit : 1
        let events = Array(lanes[turn].pending.prefix(count))
        guard !events.isEmpty else { return nil }
        return Parcel(
            events, from: .lane(lanes[turn].feed.shard), attempt: lanes[turn].attempts + 1, webhook: webhook,
            time: WebhookTools.now())
    }

    private func parcel(_ letter: DeadLetter) -> Parcel {
        Parcel(
            [letter.event], from: .queuedLetter(letter), attempt: letter.attempts + 1, webhook: webhook, time: WebhookTools.now())
    }

    /// When the worker has something to do at the latest, be it only a cursor to save.
    private func wakeTime(_ next: ContinuousClock.Instant?) -> ContinuousClock.Instant {
        let cursor = lanes.reduce(nil) { earliest($0, $1.cursorDue(tools.options.cursorInterval)) }
        return min(earliest(next, cursor) ?? checkAt, checkAt)
    }

    private mutating func postpone(_ lane: Int, _ error: KithError) {
        lanes[lane].attempts += 1
        lanes[lane].retryAt = .now + backoff.delay(afterFailures: lanes[lane].attempts)
        lastError = error.description
        webhookLog.error(
            "a webhook cannot read the change log",
            ["webhook": webhook.name, "shard": "\(lanes[lane].feed.shard)", "error": "\(error)"])
    }

    // MARK: Dead letters

    mutating func queue(_ ids: [String]) throws(KithError) -> Int { try letters.queue(ids, tools.store) }

    // MARK: The end

    /// Saves the cursors where due; the metrics forget a webhook that ends.
    mutating func finish() {
        saveCursors(force: true)
        tools.metrics.webhookLag.add(-shownLag)
        shownLag = 0
        if webhook.state != .active { tools.metrics.webhooksStopped.add(-1) }
    }

    private mutating func saveCursors(force: Bool) {
        guard webhook.holdsLog else { return }
        for lane in lanes.indices {
            guard let due = lanes[lane].cursorDue(tools.options.cursorInterval), force || due <= .now else { continue }
            attempt { (turn) throws(KithError) in try turn.lanes[lane].saveCursor(turn.webhook.cursor) }
        }
    }

    private mutating func showLag() {
        let lag = Int(clamping: lanes.reduce(0) { $0 + $1.lag })
        tools.metrics.webhookLag.add(lag - shownLag)
        shownLag = lag
    }

    /// Runs what the store may refuse: on a full disk a webhook waits, says why, and tries again.
    @discardableResult
    mutating func attempt(_ body: (inout WebhookTurn) throws(KithError) -> Void) -> Bool {
        do throws(KithError) {
            try body(&self)
            return true
        } catch {
            lastError = error.description
            retryAt = .now + tools.options.lastRetry / 10
            webhookLog.error("a webhook cannot write to the store", ["webhook": webhook.name, "error": "\(error)"])
            return false
        }
    }
}

extension Webhook {
    var batchLimit: Int { mode == .batch ? batchEvents : 1 }
}

extension Duration {
    var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
