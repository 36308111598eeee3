import KithCore
import KithTelemetry

/// What the endpoint's answers mean.
extension WebhookTurn {
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

    mutating func recovered() {
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
}
