public import Foundation
public import KithCore

/// An endpoint that change events are posted to, as it is stored.
public struct Webhook: Sendable, Codable, Equatable {
    /// Only `active` delivers. `disabled`: the endpoint is gone; `paused`: any other `Reason`.
    public enum State: String, Sendable, Codable { case active, paused, disabled }

    /// Why a webhook does not deliver.
    public enum Reason: String, Sendable, Codable {
        /// Somebody paused it.
        case requested
        /// The endpoint answered 410 Gone.
        case gone
        /// The endpoint gave no answer for `Limits.webhookDeadSeconds`.
        case unreachable
        /// It was in the older half of a change log that is nearly full.
        case changeLogFull
        /// There is no room for another dead letter.
        case deadLettersFull
    }

    /// How events go into requests.
    public enum Mode: String, Sendable, Codable {
        /// CloudEvents' binary mode: an event a request, attributes in headers.
        case single
        /// CloudEvents' batched mode: a JSON array of events of one shard.
        case batch
    }

    /// Of one request.
    public static let defaultTimeoutMilliseconds = 10_000
    /// Of an event, the first included.
    public static let defaultAttempts = 12
    /// Of a request of mode `batch`, at most.
    public static let defaultBatchEvents = 100

    /// No other webhook has it at the same time.
    public var name: String
    /// Never used again.
    public var id: UInt32 = 0
    /// For people.
    public var description = ""
    /// Judged by an `EndpointPolicy`.
    public var url: String
    /// Empty: all.
    public var collections: [String] = []
    /// Raw values of `ChangeOperation`; empty: all.
    public var operations: [UInt8] = []
    /// One event a request, or many.
    public var mode = Mode.single
    /// The most in one request of mode `batch`.
    public var batchEvents = Webhook.defaultBatchEvents
    /// Of the events in a body.
    public var encoding = EventEncoding.json
    /// The collection's policy where nil.
    public var vectors: EventVectors?
    /// Of one request.
    public var timeoutMilliseconds = Webhook.defaultTimeoutMilliseconds
    /// To deliver an event, the first included; after the last it becomes a dead letter.
    public var attempts = Webhook.defaultAttempts
    /// The newest first; at most two.
    public var secrets: [WebhookSecret] = []
    /// Changed by people, and by the server: `reason` says why.
    public var state = State.active
    /// Nil while active.
    public var reason: Reason?
    /// What led to the state, for people.
    public var stateDetail = ""
    /// Whether the change log waits for it.
    public var holdsLog = true
    /// Where a shard without a cursor begins, by the shard's id: after this commit.
    public var starts: [String: LogPosition] = [:]
    /// Counts the changes of this definition; the etag.
    public var revision: UInt64 = 1
    /// Microseconds since 1970.
    public var createdAt: Int64 = 0
    /// When definition or state changed last, in microseconds since 1970.
    public var updatedAt: Int64 = 0

    /// Active, for all changes of all collections, with no secret yet.
    public init(name: String, url: String) {
        self.name = name
        self.url = url
    }

    /// Another one under the same name, or another revision, has another.
    public var etag: String { "\(id)-\(revision)" }

    /// The name of its cursor in every shard.
    var cursor: String { "webhook/\(id)" }

    func wants(collection: String) -> Bool { collections.isEmpty || collections.contains(collection) }
    func wants(_ operation: ChangeOperation) -> Bool { operations.isEmpty || operations.contains(operation.rawValue) }

    /// Secrets that sign now.
    public func signing(at time: Int64) -> [WebhookSecret] { secrets.filter { $0.until.map { $0 > time } ?? true } }
}

/// A key that requests are signed with.
public struct WebhookSecret: Sendable, Codable, Equatable {
    private static let prefix = "whsec_"

    /// The bytes that the text's base64 stands for.
    public var key: Data
    /// Microseconds since 1970 until which it signs; for ever where nil.
    public var until: Int64?

    /// A random one of 32 bytes.
    public static func random() -> WebhookSecret {
        var generator = SystemRandomNumberGenerator()
        return WebhookSecret(key: Data((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }))
    }

    init(key: Data, until: Int64? = nil) {
        self.key = key
        self.until = until
    }

    /// Reads `whsec_` and base64, as Standard Webhooks writes keys.
    ///
    /// - Throws: `INVALID_VALUE`, `LIMIT_EXCEEDED`, about `field`.
    public init(text: String, field: String) throws(KithError) {
        guard text.hasPrefix(WebhookSecret.prefix),
            let key = Data(base64Encoded: String(text.dropFirst(WebhookSecret.prefix.count)))
        else { throw .invalid(.invalidValue, field: field, "must be 'whsec_' and base64") }
        guard Limits.webhookSecretBytes.contains(key.count) else {
            throw .invalid(
                .limitExceeded, field: field,
                "has \(key.count) bytes, it must have \(Limits.webhookSecretBytes.lowerBound) to \(Limits.webhookSecretBytes.upperBound)",
                metadata: ["value": "\(key.count)", "limit": "\(Limits.webhookSecretBytes.upperBound)"])
        }
        self.init(key: key)
    }

    /// `whsec_` and base64, as Standard Webhooks writes keys.
    public var text: String { WebhookSecret.prefix + key.base64EncodedString() }
}
