import KithCore

/// What a webhook's definition must keep to. Errors name the field as it stands in the API.
struct WebhookCheck {
    let network: EndpointPolicy

    func check(_ webhook: Webhook) throws(KithError) {
        try ResourceName.check(webhook.name, field: "webhook.name")
        try network.check(url: webhook.url, field: "webhook.url")
        guard webhook.description.utf8.count <= Limits.descriptionBytes else {
            throw .limit(
                field: "webhook.description", value: webhook.description.utf8.count, limit: Limits.descriptionBytes,
                unit: "bytes")
        }
        guard webhook.collections.count <= Limits.webhookCollections else {
            throw .limit(
                field: "webhook.collections", value: webhook.collections.count, limit: Limits.webhookCollections, unit: "names")
        }
        for (number, name) in webhook.collections.enumerated() {
            try ResourceName.check(name, field: "webhook.collections[\(number)]")
        }
        try check(webhook.batchEvents, 1...Limits.webhookBatchEvents, "batch_events")
        try check(webhook.timeoutMilliseconds, Limits.webhookTimeoutMilliseconds, "timeout_milliseconds")
        try check(webhook.attempts, Limits.webhookAttempts, "attempts")
        if webhook.mode == .batch, webhook.encoding != .json {
            throw .invalid(.invalidValue, field: "webhook.encoding", "must be JSON in batches")
        }
    }

    private func check(_ value: Int, _ range: ClosedRange<Int>, _ field: String) throws(KithError) {
        guard range.contains(value) else {
            throw .invalid(
                .limitExceeded, field: "webhook.\(field)", "is \(value), it must be \(range.lowerBound) to \(range.upperBound)",
                metadata: ["value": "\(value)", "limit": "\(range.upperBound)"])
        }
    }
}
