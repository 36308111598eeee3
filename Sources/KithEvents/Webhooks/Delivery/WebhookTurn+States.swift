import KithCore
import KithTelemetry

/// Whether the webhook delivers, and whether the change log waits for it.
extension WebhookTurn {
    mutating func releaseLogIfDue() {
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
}
