public import KithCore
import Synchronization

/// What was delivered, what was not, and trials.
extension Webhooks {
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
