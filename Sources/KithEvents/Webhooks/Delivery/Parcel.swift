import Foundation
import KithCore

/// Events on their way to an endpoint: one request.
struct Parcel: Sendable {
    /// Where they come from.
    enum Origin: Sendable, Equatable {
        case lane(ShardID)
        case queuedLetter(DeadLetter)

        static func == (left: Origin, right: Origin) -> Bool {
            switch (left, right) {
            case (.lane(let one), .lane(let other)): one == other
            case (.queuedLetter(let one), .queuedLetter(let other)): one.id == other.id
            default: false
            }
        }
    }

    var origin: Origin
    var events: [PendingEvent]
    /// From 1.
    var attempt: Int
    var messageID: String
    var request: HTTPRequest

    init(_ events: [PendingEvent], from origin: Origin, attempt: Int, webhook: Webhook, time: Int64) {
        self.origin = origin
        self.events = events
        self.attempt = attempt
        messageID = Signature.messageID(eventIDs: events.map(\.id))
        // A letter keeps the form it was written in: protobuf stands alone.
        let isBatch = webhook.mode == .batch && events.allSatisfy(\.isJSON)
        let (headers, body) = isBatch ? CloudEventRequest.batch(events) : CloudEventRequest.binary(events[0])
        request = HTTPRequest(
            url: webhook.url, headers: headers, body: body, timeoutMilliseconds: webhook.timeoutMilliseconds)
        request.sign(messageID, webhook.signing(at: time), time: time)
    }
}

extension HTTPRequest {
    /// Adds Standard Webhooks' headers.
    ///
    /// - Parameter time: microseconds since 1970.
    mutating func sign(_ messageID: String, _ secrets: [WebhookSecret], time: Int64) {
        let seconds = time / 1_000_000
        headers.append(("webhook-id", messageID))
        headers.append(("webhook-timestamp", "\(seconds)"))
        headers.append(
            ("webhook-signature", Signature.header(id: messageID, timestamp: seconds, body: body, secrets: secrets)))
    }
}

extension PendingEvent {
    var isJSON: Bool { headers.first { $0.name == "content-type" }?.value.hasPrefix("application/json") ?? false }
}

/// What an attempt means for the events and for the endpoint.
enum Verdict: Sendable {
    case delivered
    /// 410: the endpoint wants nothing any more.
    case gone
    /// The endpoint cannot take anything now: no connection, 429, 503. The events are not to blame.
    case unavailable(String, status: Int, retryAfter: Duration)
    /// It does not take these events: any other answer, or none.
    case refused(String, status: Int, retryAfter: Duration)
    case stopped

    init(_ result: Result<HTTPAnswer, HTTPFailure>) {
        switch result {
        case .success(let answer) where (200..<300).contains(answer.status): self = .delivered
        case .success(let answer) where answer.status == 410: self = .gone
        case .success(let answer):
            let text = Verdict.text(answer)
            let wait = Duration.seconds(min(max(answer.retryAfter, 0), Limits.webhookRetryAfterSeconds))
            self =
                answer.status == 429 || answer.status == 503
                ? .unavailable(text, status: answer.status, retryAfter: wait)
                : .refused(text, status: answer.status, retryAfter: wait)
        case .failure(.unreachable(let text)): self = .unavailable(text, status: 0, retryAfter: .zero)
        case .failure(.unanswered(let text)): self = .refused(text, status: 0, retryAfter: .zero)
        case .failure(.stopped): self = .stopped
        }
    }

    private static func text(_ answer: HTTPAnswer) -> String {
        let isRedirect = (300..<400).contains(answer.status)
        return "answered \(answer.status)" + (isRedirect ? ": redirects are not followed" : "")
            + (answer.text.isEmpty ? "" : ": \(answer.text)")
    }
}
