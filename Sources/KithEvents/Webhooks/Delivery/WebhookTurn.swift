import KithCore
import KithTelemetry

/// Where one webhook is: which events go next, and what an answer means. Its worker's thread and callers of the API take turns.
struct WebhookTurn: Sendable {
    enum Next: Sendable {
        case send(Parcel)
        /// Commits wake the worker in any case.
        case wait(until: ContinuousClock.Instant)
    }

    private let tools: WebhookTools
    private(set) var webhook: Webhook
    private(set) var lanes: [Lane] = []
    private var backoff: Backoff
    /// Whose turn it is among the lanes.
    private var turn = 0
    /// Of the endpoint as a whole.
    private var failures = 0
    private var failingSince: ContinuousClock.Instant?
    private var retryAt: ContinuousClock.Instant?
    private var lastError = ""
    private var missedCommits: UInt64 = 0
    private var letters: LetterBox
    private var nextDelivery: UInt64
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

    // MARK: What an answer means

    mutating func settle(_ parcel: Parcel, _ verdict: Verdict, duration: Duration) {
        if case .stopped = verdict { return }
        tools.metrics.webhookAttempts.add()
        switch verdict {
        case .delivered:
            recovered()
            tools.metrics.webhookEvents.add(parcel.events.count)
            record(parcel, .delivered, status: 200, "", duration)
            settleDelivered(parcel)
        case .gone:
            record(parcel, .failed, status: 410, "answered 410: gone", duration)
            stop(.disabled, .gone, "the endpoint answered 410 Gone", releasesLog: true)
        case .unavailable(let text, let status, let retryAfter):
            record(parcel, .failed, status: status, text, duration)
            fail(text)
            retryAt = .now + max(backoff.delay(afterFailures: failures), retryAfter)
        case .refused(let text, let status, let retryAfter):
            // It answered, if not well: it is not dead.
            failingSince = nil
            let isLast = settleRefused(parcel, text, retryAfter)
            record(parcel, isLast ? .deadLettered : .failed, status: status, text, duration)
        case .stopped: break
        }
    }

    private mutating func settleDelivered(_ parcel: Parcel) {
        switch parcel.origin {
        case .lane(let shard):
            // The lane may be gone, or have begun anew, while the request was under way.
            guard let lane = place(of: parcel, in: shard) else { return }
            lanes[lane].settle(parcel.events.count)
            lanes[lane].batchLimit = min(webhook.batchLimit, lanes[lane].batchLimit * 2)
        case .queuedLetter(let letter):
            attempt { (turn) throws(KithError) in try turn.letters.delivered(letter, turn.tools.store) }
        }
    }

    /// Answers whether the event is given up.
    private mutating func settleRefused(_ parcel: Parcel, _ text: String, _ retryAfter: Duration) -> Bool {
        fail(text)
        switch parcel.origin {
        case .queuedLetter(var letter):
            letter.attempts += 1
            letter.error = text
            letter.time = WebhookTools.now()
            attempt { (turn) throws(KithError) in try turn.letters.returned(letter, turn.tools.store) }
            return true
        case .lane(let shard):
            guard let lane = place(of: parcel, in: shard) else { return false }
            lanes[lane].attempts += 1
            lanes[lane].batchLimit = max(1, parcel.events.count / 2)
            lanes[lane].retryAt = .now + max(backoff.delay(afterFailures: lanes[lane].attempts), retryAfter)
            guard parcel.events.count == 1, lanes[lane].attempts >= webhook.attempts else { return false }
            return giveUp(parcel.events[0], lane, text)
        }
    }

    /// Writes the dead letter and goes on behind the event; where there is no room for one, the webhook is paused before it.
    private mutating func giveUp(_ event: PendingEvent, _ lane: Int, _ text: String) -> Bool {
        guard letters.hasRoom(for: event.byteCount) else {
            stop(
                .paused, .deadLettersFull,
                "\(letters.dead) dead letters of \(letters.bytes) bytes: deliver them again, or let them go",
                releasesLog: false)
            return false
        }
        let letter = DeadLetter(event: event, error: text, attempts: lanes[lane].attempts, time: WebhookTools.now())
        let isWritten = attempt { (turn) throws(KithError) in try turn.letters.add(letter, turn.tools.store) }
        guard isWritten else { return false }
        lanes[lane].settle(1)
        tools.metrics.webhookDeadLetters.add()
        webhookLog.error(
            "an event has become a dead letter",
            ["webhook": webhook.name, "event": event.id, "attempts": "\(letter.attempts)", "error": text])
        return true
    }

    private func place(of parcel: Parcel, in shard: ShardID) -> Int? {
        lanes.firstIndex { $0.feed.shard == shard && $0.pending.first?.id == parcel.events.first?.id }
    }

    private mutating func fail(_ text: String) {
        failures += 1
        lastError = text
        tools.metrics.webhookFailures.add()
        if failingSince == nil { failingSince = .now }
        if failures == 1 {
            webhookLog.warning("an endpoint fails and is tried again", ["webhook": webhook.name, "error": text])
        }
    }

    private mutating func recovered() {
        if failures > 0 { webhookLog.info("an endpoint takes events again", ["webhook": webhook.name]) }
        failures = 0
        failingSince = nil
        retryAt = nil
        lastError = ""
    }

    private mutating func record(
        _ parcel: Parcel, _ outcome: DeliveryRecord.Outcome, status: Int, _ error: String, _ duration: Duration
    ) {
        guard let first = parcel.events.first else { return }
        tools.metrics.webhookDuration.record(nanoseconds: UInt64(max(0, duration.microseconds)) * 1_000)
        let record = DeliveryRecord(
            messageID: parcel.messageID, time: WebhookTools.now(), durationMicroseconds: duration.microseconds,
            collection: first.collection, shard: first.shard, eventID: first.id, events: parcel.events.count,
            attempt: parcel.attempt, outcome: outcome, status: status, error: error)
        append(record)
    }

    mutating func append(_ record: DeliveryRecord) {
        attempt { (turn) throws(KithError) in
            try turn.tools.store.append(record, number: turn.nextDelivery, of: turn.webhook.id)
            turn.nextDelivery += 1
        }
    }

    // MARK: The change log waits no longer

    private mutating func releaseLogIfDue() {
        guard webhook.holdsLog else { return }
        if let failingSince, webhook.state == .active, failingSince + .seconds(Limits.webhookDeadSeconds) <= .now {
            stop(
                .paused, .unreachable, "no answer for \(Limits.webhookDeadSeconds) seconds; the last error: \(lastError)",
                releasesLog: true)
        } else if tools.options.isLogNearlyFull(), let lane = lanes.first(where: \.isInOlderHalf) {
            stop(
                .paused, .changeLogFull,
                "the change log is \(Limits.webhookLogPercent) % full, and \(lane.lag) commits of shard \(lane.feed.shard) wait",
                releasesLog: true)
        }
    }

    private mutating func showLag() {
        let lag = Int(clamping: lanes.reduce(0) { $0 + $1.lag })
        tools.metrics.webhookLag.add(lag - shownLag)
        shownLag = lag
    }

    // MARK: States

    /// Stops delivering, loudly. Where it releases the log, its cursors let everything pass, and its definition remembers where it stood.
    mutating func stop(_ state: Webhook.State, _ reason: Webhook.Reason, _ detail: String, releasesLog: Bool) {
        attempt { (turn) throws(KithError) in
            try turn.change { webhook, lanes in
                webhook.state = state
                webhook.reason = reason
                webhook.stateDetail = detail
                if releasesLog {
                    webhook.holdsLog = false
                    for lane in lanes { webhook.starts[lane.feed.shard.description] = lane.done }
                }
            }
            if releasesLog {
                for lane in turn.lanes { try lane.feed.saveCursor(turn.webhook.cursor, at: Lane.released) }
            }
        }
        let fields = ["webhook": webhook.name, "reason": reason.rawValue, "detail": detail, "lag": "\(status.lag)"]
        if reason == .requested {
            webhookLog.info("a webhook is paused", fields)
        } else {
            webhookLog.error(
                releasesLog ? "a webhook is stopped, and the change log waits for it no more" : "a webhook is stopped", fields)
        }
    }

    /// Delivers again, from where it stood.
    ///
    /// - Returns: the commits that the log no longer keeps.
    mutating func resume() throws(KithError) -> UInt64 {
        let missed = lanes.reduce(0) { sum, lane in
            sum + (lane.feed.firstPosition > lane.done + 1 ? lane.feed.firstPosition - 1 - lane.done : 0)
        }
        // Before the definition says so: a crash between leaves a paused webhook whose log is held, and no gap.
        for lane in lanes.indices { try lanes[lane].saveCursor(webhook.cursor) }
        try change { webhook, _ in
            webhook.state = .active
            webhook.reason = nil
            webhook.stateDetail = ""
            webhook.holdsLog = true
        }
        recovered()
        for lane in lanes.indices {
            lanes[lane].retryAt = nil
            lanes[lane].attempts = 0
        }
        return missed
    }

    /// Changes and stores the definition.
    mutating func change(_ body: (inout Webhook, [Lane]) -> Void) throws(KithError) {
        var changed = webhook
        body(&changed, lanes)
        changed.revision += 1
        changed.updatedAt = WebhookTools.now()
        try tools.store.put(changed)
        tools.metrics.webhooksStopped.add((changed.state == .active ? 0 : 1) - (webhook.state == .active ? 0 : 1))
        let isRead =
            (changed.encoding, changed.vectors, changed.operations, changed.collections)
            == (webhook.encoding, webhook.vectors, webhook.operations, webhook.collections)
        webhook = changed
        for lane in lanes.indices {
            lanes[lane].batchLimit = min(lanes[lane].batchLimit, webhook.batchLimit)
            if !isRead { lanes[lane].forgetPending() }
        }
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

    /// Runs what the store may refuse: on a full disk a webhook waits, says why, and tries again.
    @discardableResult
    private mutating func attempt(_ body: (inout WebhookTurn) throws(KithError) -> Void) -> Bool {
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
