/// What becomes of a field of payloads in change events, while the point keeps it.
public struct FieldRedaction: Sendable, Hashable, Codable {
    /// Raw values are those of the wire.
    public enum Action: UInt8, Sendable, Codable {
        /// The field is left out.
        case drop = 1
        /// Its value becomes "hmac-sha256:" and a keyed hash in hexadecimal: equal values stay equal within the collection.
        case hash = 2
        /// Its value becomes "***".
        case mask = 3
    }

    /// Keys from the outermost object inwards, joined by dots; lists on the way stand for each of their elements.
    public var path: String
    public var action: Action

    public init(path: String, action: Action) {
        self.path = path
        self.action = action
    }
}

/// How a collection's events are told, beyond how vectors stand in them and how values are written.
public struct EventStreams: Sendable, Hashable, Codable {
    /// Applied before a commit's row is written.
    public var redactions: [FieldRedaction] = []
    /// What `hash` is keyed with, in hexadecimal: made by the server, never shown.
    public var redactionKey = ""
    /// Whether the state topic is kept, and how vectors stand in it.
    public var state = false
    public var stateVectors = EventVectors.full
    /// Whether commits of several changes are framed by BEGIN and END.
    public var transactions = false
    /// Ids of the schemas in a schema registry; 0: values stand without the registry's frame.
    public var changeSchemaID: UInt32 = 0
    public var stateSchemaID: UInt32 = 0

    public init() {}
}

/// The redactions of a collection as commands carry them: `apply` must decide alike on every replica.
public final class PayloadRedaction: Sendable {
    public let fields: [FieldRedaction]
    /// What `hash` is keyed with.
    public let key: [UInt8]

    /// Nil where nothing is redacted.
    public init?(_ streams: EventStreams) {
        guard !streams.redactions.isEmpty else { return nil }
        fields = streams.redactions
        key = Array(streams.redactionKey.utf8)
    }
}
