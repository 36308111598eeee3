import Foundation
import KithCore
import KithEvents

/// Control messages of WebhookService, as protobuf JSON. 64-bit numbers are texts.
struct WebhookMessage: Codable {
    var name = ""
    var id: UInt32 = 0
    var url = ""
    var description = ""
    var collections: [String] = []
    var operations: [EnumText] = []
    var mode = EnumText("MODE_UNSPECIFIED")
    var batchEvents: UInt32 = 0
    var encoding = EnumText("ENCODING_UNSPECIFIED")
    var vectors = EnumText("VECTORS_UNSPECIFIED")
    var timeoutMilliseconds: UInt32 = 0
    var attempts: UInt32 = 0
    var state = EnumText("STATE_UNSPECIFIED")
    var reason = EnumText("REASON_UNSPECIFIED")
    var stateDetail = ""
    var holdsLog = false
    var lagCommits = "0"
    var missedCommits = "0"
    var failures: UInt32 = 0
    var lastError = ""
    var deadLetters: UInt32 = 0
    var queuedLetters: UInt32 = 0
    var activeSecrets: UInt32 = 0
    var etag = ""
    var createdAt: String?
    var updatedAt: String?

    private static let changeable = [
        "url", "description", "collections", "operations", "mode", "batch_events", "encoding", "vectors",
        "timeout_milliseconds", "attempts",
    ]

    init(_ status: WebhookStatus) {
        let webhook = status.webhook
        name = webhook.name
        id = webhook.id
        url = webhook.url
        description = webhook.description
        collections = webhook.collections
        operations = webhook.operations.compactMap(ChangeOperation.init(rawValue:)).map {
            EnumText(WireEnums.name($0, WebhookEnums.operation))
        }
        mode = EnumText(WireEnums.name(webhook.mode, WebhookEnums.mode))
        batchEvents = UInt32(webhook.batchEvents)
        encoding = EnumText(WireEnums.name(webhook.encoding, WireEnums.eventEncoding))
        if let policy = webhook.vectors { vectors = EnumText(WireEnums.name(policy, WireEnums.eventVectors)) }
        timeoutMilliseconds = UInt32(webhook.timeoutMilliseconds)
        attempts = UInt32(webhook.attempts)
        state = EnumText(WebhookEnums.state[webhook.state] ?? "")
        if let why = webhook.reason { reason = EnumText(WebhookEnums.reason[why] ?? "") }
        stateDetail = webhook.stateDetail
        holdsLog = webhook.holdsLog
        lagCommits = "\(status.lag)"
        missedCommits = "\(status.missedCommits)"
        failures = UInt32(clamping: status.failures)
        lastError = status.lastError
        deadLetters = UInt32(clamping: status.deadLetters)
        queuedLetters = UInt32(clamping: status.queuedLetters)
        activeSecrets = UInt32(webhook.signing(at: Timestamp.now()).count)
        etag = webhook.etag
        createdAt = Timestamp.text(webhook.createdAt)
        updatedAt = Timestamp.text(webhook.updatedAt)
    }

    /// A new webhook; what only the server sets must be unset.
    func webhook() throws(KithError) -> Webhook {
        let isSet = [
            ("id", id != 0), ("state", state.name != "STATE_UNSPECIFIED"), ("reason", reason.name != "REASON_UNSPECIFIED"),
            ("etag", !etag.isEmpty), ("created_at", createdAt != nil), ("updated_at", updatedAt != nil),
        ]
        for (field, isSet) in isSet where isSet {
            throw .invalid(.immutableField, field: "webhook.\(field)", "is set by the server")
        }
        var webhook = Webhook(name: name, url: url)
        for field in WebhookMessage.changeable { _ = try apply(field, to: &webhook) }
        return webhook
    }

    /// Takes one changeable field over; false when there is none of this name.
    func apply(_ field: String, to webhook: inout Webhook) throws(KithError) -> Bool {
        switch field {
        case "url": webhook.url = url
        case "description": webhook.description = description
        case "collections": webhook.collections = collections
        case "operations":
            webhook.operations = try operations.enumerated().map { (index, text) throws(KithError) in
                let field = "webhook.operations[\(index)]"
                guard let operation = try text.value(WebhookEnums.operation, field: field) else {
                    throw .invalid(.unknownEnumValue, field: field, "\(text.name) is no change of a log")
                }
                return operation.rawValue
            }
        case "mode": webhook.mode = try mode.value(WebhookEnums.mode, field: "webhook.mode")
        case "batch_events", "batchEvents":
            webhook.batchEvents = batchEvents == 0 ? Webhook.defaultBatchEvents : Int(batchEvents)
        case "encoding": webhook.encoding = try encoding.value(WebhookEnums.encoding, field: "webhook.encoding")
        case "vectors":
            let policy = try vectors.value(WireEnums.eventVectors, field: "webhook.vectors")
            webhook.vectors = vectors.name == "VECTORS_UNSPECIFIED" ? nil : policy
        case "timeout_milliseconds", "timeoutMilliseconds":
            webhook.timeoutMilliseconds =
                timeoutMilliseconds == 0 ? Webhook.defaultTimeoutMilliseconds : Int(timeoutMilliseconds)
        case "attempts": webhook.attempts = attempts == 0 ? Webhook.defaultAttempts : Int(attempts)
        default: return false
        }
        return true
    }
}

/// Names of enum values, the unspecified one first where it stands for a value.
enum WebhookEnums {
    static let operation: [(name: String, value: ChangeOperation?)] = [
        ("CHANGE_OPERATION_CREATE", .create), ("CHANGE_OPERATION_UPDATE", .update), ("CHANGE_OPERATION_DELETE", .delete),
    ]
    static let mode: [(name: String, value: Webhook.Mode)] = [
        ("MODE_UNSPECIFIED", .single), ("MODE_SINGLE", .single), ("MODE_BATCH", .batch),
    ]
    /// JSON is what receivers of webhooks expect.
    static let encoding: [(name: String, value: EventEncoding)] = [
        ("ENCODING_UNSPECIFIED", .json), ("ENCODING_PROTOBUF", .protobuf), ("ENCODING_JSON", .json),
    ]
    static let start: [(name: String, isEarliest: Bool)] = [
        ("START_UNSPECIFIED", false), ("START_NOW", false), ("START_EARLIEST", true),
    ]
    static let state: [Webhook.State: String] = [
        .active: "STATE_ACTIVE", .paused: "STATE_PAUSED", .disabled: "STATE_DISABLED",
    ]
    static let reason: [Webhook.Reason: String] = [
        .requested: "REASON_REQUESTED", .gone: "REASON_GONE", .unreachable: "REASON_UNREACHABLE",
        .changeLogFull: "REASON_CHANGE_LOG_FULL", .deadLettersFull: "REASON_DEAD_LETTERS_FULL",
    ]
    static let outcome: [DeliveryRecord.Outcome: String] = [
        .delivered: "OUTCOME_DELIVERED", .failed: "OUTCOME_FAILED", .deadLettered: "OUTCOME_DEAD_LETTERED",
        .test: "OUTCOME_TEST",
    ]
}

struct DeliveryMessage: Codable {
    var messageId: String
    var time: String
    var durationUs: String
    var collection: String
    var shard: String
    var eventId: String
    var events: UInt32
    var attempt: UInt32
    var outcome: EnumText
    var status: UInt32
    var error: String

    init(_ record: DeliveryRecord) {
        messageId = record.messageID
        time = Timestamp.text(record.time)
        durationUs = "\(record.durationMicroseconds)"
        collection = record.collection
        shard = record.shard
        eventId = record.eventID
        events = UInt32(clamping: record.events)
        attempt = UInt32(clamping: record.attempt)
        outcome = EnumText(WebhookEnums.outcome[record.outcome] ?? "")
        status = UInt32(clamping: record.status)
        error = record.error
    }
}

struct DeadLetterMessage: Codable {
    var id: String
    var collection: String
    var position: String
    var error: String
    var attempts: UInt32
    var time: String
    var contentType: String
    /// In base64.
    var value: Data

    init(_ letter: DeadLetter, withValue: Bool) {
        id = letter.id
        collection = letter.collection
        position = "\(letter.position)"
        error = letter.error
        attempts = UInt32(clamping: letter.attempts)
        time = Timestamp.text(letter.time)
        contentType = letter.contentType
        value = withValue ? Data(letter.value) : Data()
    }
}

/// Times as protobuf JSON has them.
enum Timestamp {
    /// Microseconds since 1970.
    static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1e6) }

    static func text(_ microseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(microseconds) / 1e6)
            .ISO8601Format(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
