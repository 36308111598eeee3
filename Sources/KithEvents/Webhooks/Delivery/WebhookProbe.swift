import Foundation
import KithCore

/// The event of `TestWebhook`: of no change, of a type of its own, signed like any other.
struct WebhookProbe {
    private let messageID: String
    private let id: String
    private let time: Int64
    let request: HTTPRequest

    init(_ webhook: Webhook, cluster: String, time: Int64) {
        self.time = time
        id = "\(cluster)/webhooks/\(webhook.name)/test/\(time)"
        messageID = Signature.messageID(eventIDs: [id])
        var timestamp: [UInt8] = []
        timestamp.append(timestamp: time)
        var request = HTTPRequest(
            url: webhook.url,
            headers: [
                ("ce-specversion", "1.0"), ("ce-id", CloudEventRequest.percentEncoded(id)),
                ("ce-source", CloudEventRequest.percentEncoded("//kith/\(cluster)")), ("ce-type", "io.kith.webhook.test.v1"),
                ("ce-subject", "webhooks/\(webhook.name)"), ("ce-time", String(decoding: timestamp, as: UTF8.self)),
                ("content-type", "application/json"),
            ],
            // A webhook's name needs no escapes.
            body: Array("{\"webhook\":\"\(webhook.name)\"}".utf8), timeoutMilliseconds: webhook.timeoutMilliseconds)
        request.sign(messageID, webhook.signing(at: time), time: time)
        self.request = request
    }

    func record(_ result: Result<HTTPAnswer, HTTPFailure>, duration: Duration) -> DeliveryRecord {
        var record = DeliveryRecord(
            messageID: messageID, time: time, durationMicroseconds: duration.microseconds, collection: "", shard: "", eventID: id,
            events: 1, attempt: 1, outcome: .test, status: 0, error: "")
        switch result {
        case .success(let answer):
            record.status = answer.status
            if !(200..<300).contains(answer.status) { record.error = answer.text }
        case .failure(.unreachable(let text)), .failure(.unanswered(let text)): record.error = text
        case .failure(.stopped): record.error = "the server is stopping"
        }
        return record
    }
}
