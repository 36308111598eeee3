/// The gRPC status codes that Kith answers with, or what stands before it (numbers as in gRPC).
public enum StatusCode: Int32, Sendable {
    case cancelled = 1
    case unknown = 2
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case alreadyExists = 6
    case permissionDenied = 7
    case resourceExhausted = 8
    case failedPrecondition = 9
    case aborted = 10
    case outOfRange = 11
    case unimplemented = 12
    case `internal` = 13
    case unavailable = 14
    case dataLoss = 15
    case unauthenticated = 16
}

extension StatusCode {
    /// Such as `NOT_FOUND`.
    public var name: String {
        "\(self)".reduce(into: "") { name, letter in name += letter.isUppercase ? "_\(letter)" : letter.uppercased() }
    }
}

/// The closed list of reasons in `google.rpc.ErrorInfo`; documented in Documentation/errors.md.
public enum ErrorReason: String, Sendable, CaseIterable {
    case malformedMessage = "MALFORMED_MESSAGE"
    case messageTooLarge = "MESSAGE_TOO_LARGE"
    case requiredFieldMissing = "REQUIRED_FIELD_MISSING"
    case invalidName = "INVALID_NAME"
    case invalidPointID = "INVALID_POINT_ID"
    case invalidDimension = "INVALID_DIMENSION"
    case elementTypeMismatch = "ELEMENT_TYPE_MISMATCH"
    case metricMismatch = "METRIC_MISMATCH"
    case nonFiniteVector = "NON_FINITE_VECTOR"
    case zeroVector = "ZERO_VECTOR"
    case invalidPayload = "INVALID_PAYLOAD"
    case payloadTooDeep = "PAYLOAD_TOO_DEEP"
    case unknownEnumValue = "UNKNOWN_ENUM_VALUE"
    case unknownIndexKind = "UNKNOWN_INDEX_KIND"
    case invalidIndexParameter = "INVALID_INDEX_PARAMETER"
    case unknownVectorSpace = "UNKNOWN_VECTOR_SPACE"
    case duplicateName = "DUPLICATE_NAME"
    case invalidValue = "INVALID_VALUE"
    case limitExceeded = "LIMIT_EXCEEDED"
    case immutableField = "IMMUTABLE_FIELD"
    case invalidPageToken = "INVALID_PAGE_TOKEN"
    case collectionNotFound = "COLLECTION_NOT_FOUND"
    case collectionExists = "COLLECTION_ALREADY_EXISTS"
    case aliasNotFound = "ALIAS_NOT_FOUND"
    case webhookNotFound = "WEBHOOK_NOT_FOUND"
    case webhookExists = "WEBHOOK_ALREADY_EXISTS"
    case invalidURL = "INVALID_URL"
    case forbiddenURL = "FORBIDDEN_URL"
    case modelNotFound = "MODEL_NOT_FOUND"
    case pointNotFound = "POINT_NOT_FOUND"
    case pointExists = "POINT_ALREADY_EXISTS"
    case versionMismatch = "VERSION_MISMATCH"
    case legalHold = "LEGAL_HOLD"
    case holdNotFound = "HOLD_NOT_FOUND"
    case holdExists = "HOLD_ALREADY_EXISTS"
    case erasureNotFound = "ERASURE_NOT_FOUND"
    case erasureExists = "ERASURE_ALREADY_EXISTS"
    case etagMismatch = "ETAG_MISMATCH"
    case eventNotFound = "EVENT_NOT_FOUND"
    case positionNotReached = "POSITION_NOT_REACHED"
    case positionTrimmed = "POSITION_TRIMMED"
    case invalidPosition = "INVALID_POSITION"
    case writeQueueFull = "WRITE_QUEUE_FULL"
    case searchQueueFull = "SEARCH_QUEUE_FULL"
    case tooManyStreams = "TOO_MANY_STREAMS"
    case creditExceeded = "CREDIT_EXCEEDED"
    case streamProtocol = "STREAM_PROTOCOL"
    case changeLogFull = "CHANGE_LOG_FULL"
    case tailFull = "INDEX_TAIL_FULL"
    case deadlineExceeded = "DEADLINE_EXCEEDED"
    case cancelled = "CANCELLED"
    case shuttingDown = "SHUTTING_DOWN"
    case unimplemented = "UNIMPLEMENTED"
    case storageFailure = "STORAGE_FAILURE"
    case corruption = "CORRUPTION"
    case brokerFailure = "BROKER_FAILURE"
    /// Made by consumers only: where they write refuses.
    case sinkFailure = "SINK_FAILURE"
    case relayFenced = "RELAY_FENCED"
    case invalidConfiguration = "INVALID_CONFIGURATION"
    /// Made by clients only: no server answered.
    case serverUnreachable = "SERVER_UNREACHABLE"
}

/// An error a client can act on: gRPC code, reason, the field at fault, and every value the message mentions.
public struct KithError: Error, Sendable, Equatable {
    /// One offending field, as in `google.rpc.BadRequest`.
    public struct FieldViolation: Sendable, Equatable {
        /// Path from the request message, such as `points[3].vectors[0].data`.
        public var field: String
        public var description: String

        public init(field: String, description: String) {
            self.field = field
            self.description = description
        }
    }

    /// What a client's retry rules go by.
    public var code: StatusCode
    /// What a program can switch on.
    public var reason: ErrorReason
    /// For people; names the field, the limit and the value.
    public var message: String
    /// Every value that the message mentions, by name.
    public var metadata: [String: String]
    /// The fields at fault, where the request is.
    public var violations: [FieldViolation]
    /// For errors worth retrying: how long to wait.
    public var retryAfterMilliseconds: Int?

    public init(
        _ code: StatusCode, _ reason: ErrorReason, _ message: String, metadata: [String: String] = [:],
        violations: [FieldViolation] = [], retryAfterMilliseconds: Int? = nil
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.metadata = metadata
        self.violations = violations
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    /// Whether a rule that stands refuses it, rather than that it cannot be: so an audit calls it.
    public var isDenial: Bool {
        switch code {
        case .permissionDenied, .unauthenticated: true
        default: reason == .legalHold
        }
    }

    /// A field that is well-formed, and that a rule of the server forbids.
    public static func forbidden(
        _ reason: ErrorReason, field: String, _ description: String, metadata: [String: String] = [:]
    ) -> KithError {
        var error = invalid(reason, field: field, description, metadata: metadata)
        error.code = .permissionDenied
        return error
    }

    /// A bad field of the request.
    public static func invalid(
        _ reason: ErrorReason, field: String, _ description: String, metadata: [String: String] = [:]
    ) -> KithError {
        KithError(
            .invalidArgument, reason, "\(field): \(description)", metadata: metadata,
            violations: [FieldViolation(field: field, description: description)])
    }

    /// A value over a named limit.
    public static func limit(field: String, value: Int, limit: Int, unit: String) -> KithError {
        let description = "is \(value) \(unit), the limit is \(limit)"
        return KithError(
            .invalidArgument, .limitExceeded, "\(field): \(description)",
            metadata: ["field": field, "value": "\(value)", "limit": "\(limit)"],
            violations: [FieldViolation(field: field, description: description)])
    }

    /// The same error, its fields named as they stand in an outer message; the text follows the first.
    public func moved(_ place: (String) -> String) -> KithError {
        var moved = self
        moved.violations = violations.map { FieldViolation(field: place($0.field), description: $0.description) }
        if let first = moved.violations.first { moved.message = "\(first.field): \(first.description)" }
        return moved
    }

    /// The same error, its fields placed under `prefix` (`points[3]` and so on).
    public func inside(_ prefix: String) -> KithError { moved { "\(prefix).\($0)" } }
}

extension KithError: CustomStringConvertible {
    public var description: String { "\(reason.rawValue): \(message)" }
}
