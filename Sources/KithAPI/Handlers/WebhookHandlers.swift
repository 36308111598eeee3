import CGRPCShim
import Foundation
import KithCore
import KithEvents

/// WebhookService: control calls, each a message in and a message out.
struct WebhookHandlers {
    private static let defaultPageSize = 100
    private static let defaultKeepSeconds: UInt32 = 86_400
    private static let longestKeepSeconds: UInt32 = 30 * 86_400

    private let webhooks: Webhooks

    init(_ webhooks: Webhooks) { self.webhooks = webhooks }

    private func answer(_ status: WebhookStatus) throws(KithError) -> WireBuffer {
        try JSONCall.encode(WebhookMessage(status), "kith.v1.Webhook")
    }

    // MARK: Making and changing

    private struct CreateRequest: Codable {
        var webhook: WebhookMessage?
        var secret: String
        var start: EnumText
    }

    private struct SecretResponse: Codable {
        var webhook: WebhookMessage
        var secret: String
    }

    func create(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(CreateRequest.self, "kith.v1.CreateWebhookRequest", bytes)
        guard let wanted = request.webhook else {
            throw .invalid(.requiredFieldMissing, field: "webhook", "must be given")
        }
        var webhook = try wanted.webhook()
        if !request.secret.isEmpty { webhook.secrets = [try WebhookSecret(text: request.secret, field: "secret")] }
        let isEarliest = try request.start.value(
            WebhookEnums.start.map { ($0.name, $0.isEarliest) }, field: "start")
        let made = try webhooks.create(webhook, fromEarliest: isEarliest)
        let response = SecretResponse(
            webhook: WebhookMessage(try webhooks.status(made.name)), secret: made.secrets.first?.text ?? "")
        return try JSONCall.encode(response, "kith.v1.CreateWebhookResponse")
    }

    private struct UpdateRequest: Codable {
        var webhook: WebhookMessage?
        /// Paths in camel case, joined by commas, as protobuf JSON has field masks.
        var updateMask: String?
        var etag: String
    }

    func update(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(UpdateRequest.self, "kith.v1.UpdateWebhookRequest", bytes)
        guard let wanted = request.webhook else {
            throw .invalid(.requiredFieldMissing, field: "webhook", "must be given")
        }
        let paths = (request.updateMask ?? "").split(separator: ",").map(String.init)
        guard !paths.isEmpty else {
            throw .invalid(.requiredFieldMissing, field: "update_mask", "must name at least one field")
        }
        return try answer(
            try webhooks.update(wanted.name, etag: request.etag) { (webhook) throws(KithError) in
                for path in paths where try !wanted.apply(path, to: &webhook) {
                    throw .invalid(
                        .immutableField, field: "update_mask", "'\(path)' cannot be changed", metadata: ["path": path])
                }
            })
    }

    private struct RotateRequest: Codable {
        var name: String
        var secret: String
        var keepSeconds: UInt32?
    }

    func rotateSecret(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(RotateRequest.self, "kith.v1.RotateWebhookSecretRequest", bytes)
        let secret: WebhookSecret =
            request.secret.isEmpty ? .random() : try WebhookSecret(text: request.secret, field: "secret")
        let keep = request.keepSeconds ?? WebhookHandlers.defaultKeepSeconds
        guard keep <= WebhookHandlers.longestKeepSeconds else {
            throw .limit(
                field: "keep_seconds", value: Int(keep), limit: Int(WebhookHandlers.longestKeepSeconds), unit: "seconds")
        }
        let status = try webhooks.rotateSecret(request.name, to: secret, keepingSeconds: Int(keep))
        return try JSONCall.encode(
            SecretResponse(webhook: WebhookMessage(status), secret: secret.text), "kith.v1.RotateWebhookSecretResponse")
    }

    // MARK: By name

    private struct NameRequest: Codable { var name: String }
    private struct Empty: Codable {}

    func get(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        try answer(try webhooks.status(try JSONCall.decode(NameRequest.self, "kith.v1.GetWebhookRequest", bytes).name))
    }

    func delete(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        try webhooks.delete(try JSONCall.decode(NameRequest.self, "kith.v1.DeleteWebhookRequest", bytes).name)
        return try JSONCall.encode(Empty(), "kith.v1.DeleteWebhookResponse")
    }

    func pause(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        try answer(try webhooks.pause(try JSONCall.decode(NameRequest.self, "kith.v1.PauseWebhookRequest", bytes).name))
    }

    private struct ResumeResponse: Codable {
        var webhook: WebhookMessage
        var missedCommits: String
    }

    func resume(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let name = try JSONCall.decode(NameRequest.self, "kith.v1.ResumeWebhookRequest", bytes).name
        let (status, missed) = try webhooks.resume(name)
        return try JSONCall.encode(
            ResumeResponse(webhook: WebhookMessage(status), missedCommits: "\(missed)"), "kith.v1.ResumeWebhookResponse")
    }

    /// Waits for the endpoint, on a thread of its own: gRPC's are for others.
    func test(_ call: Call) throws(KithError) {
        let name = try JSONCall.decode(NameRequest.self, "kith.v1.TestWebhookRequest", call.message).name
        _ = try webhooks.status(name)
        Thread(named: "kith-hook-test") { [webhooks] in
            do throws(KithError) {
                call.reply(try JSONCall.encode(DeliveryMessage(try webhooks.test(name)), "kith.v1.Delivery"))
            } catch { call.fail(error) }
        }.start()
    }

    // MARK: Lists

    private struct ListRequest: Codable {
        var pageSize: Int32
        var pageToken: String
    }

    private struct ListResponse: Codable {
        var webhooks: [WebhookMessage]
        var nextPageToken: String
    }

    func list(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(ListRequest.self, "kith.v1.ListWebhooksRequest", bytes)
        let limit = try PageToken.pageSize(request.pageSize, default: WebhookHandlers.defaultPageSize)
        let after = try PageToken.name(request.pageToken) ?? ""
        let rest = webhooks.all.filter { $0.webhook.name > after }
        let page = rest.prefix(limit)
        let token = rest.count > limit ? page.last.map { PageToken.encode(name: $0.webhook.name) } : nil
        return try JSONCall.encode(
            ListResponse(webhooks: page.map(WebhookMessage.init), nextPageToken: token ?? ""),
            "kith.v1.ListWebhooksResponse")
    }

    private struct PageRequest: Codable {
        var webhook: String
        var pageSize: Int32
        var pageToken: String
        var values: Bool?
    }

    private struct DeliveriesResponse: Codable {
        var deliveries: [DeliveryMessage]
        var nextPageToken: String
    }

    func deliveries(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(PageRequest.self, "kith.v1.ListDeliveriesRequest", bytes)
        let limit = try PageToken.pageSize(request.pageSize, default: WebhookHandlers.defaultPageSize)
        let token = try PageToken.name(request.pageToken)
        guard let before = token == nil ? UInt64.max : token.flatMap({ UInt64($0) }) else {
            throw .invalid(.invalidPageToken, field: "page_token", "is not one that this method gave")
        }
        let found = try webhooks.deliveries(request.webhook, before: before, limit: limit)
        let next = found.count == limit ? found.last.map { PageToken.encode(name: "\($0.number)") } : nil
        return try JSONCall.encode(
            DeliveriesResponse(deliveries: found.map { DeliveryMessage($0.record) }, nextPageToken: next ?? ""),
            "kith.v1.ListDeliveriesResponse")
    }

    private struct LettersResponse: Codable {
        var letters: [DeadLetterMessage]
        var nextPageToken: String
    }

    func deadLetters(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(PageRequest.self, "kith.v1.ListDeadLettersRequest", bytes)
        let limit = try PageToken.pageSize(request.pageSize, default: WebhookHandlers.defaultPageSize)
        let after = try PageToken.name(request.pageToken) ?? ""
        let withValues = request.values ?? false
        let found = try webhooks.deadLetters(request.webhook, after: after, limit: limit)
        var page: [DeadLetterMessage] = []
        var room = Limits.pageBytes
        for letter in found where withValues ? room > 0 : true {
            page.append(DeadLetterMessage(letter, withValue: withValues))
            room -= letter.bytes
        }
        let isCut = page.count < found.count || found.count == limit
        return try JSONCall.encode(
            LettersResponse(letters: page, nextPageToken: isCut ? page.last.map { PageToken.encode(name: $0.id) } ?? "" : ""),
            "kith.v1.ListDeadLettersResponse")
    }

    private struct RedeliverRequest: Codable {
        var webhook: String
        var ids: [String]
    }

    private struct RedeliverResponse: Codable { var queued: UInt32 }

    func redeliver(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(RedeliverRequest.self, "kith.v1.RedeliverDeadLettersRequest", bytes)
        let queued = try webhooks.redeliver(request.webhook, ids: request.ids)
        return try JSONCall.encode(RedeliverResponse(queued: UInt32(queued)), "kith.v1.RedeliverDeadLettersResponse")
    }
}
