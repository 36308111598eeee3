public import KithCore

/// How old a collection's points become.
public struct Retention: Sendable, Codable, Equatable {
    /// The collection's id: one made later under the same name is another.
    public var collectionID: UInt32
    public var collection: String
    /// 0: no rule.
    public var maxAgeSeconds: UInt32
    /// Keys of the payload joined by dots, where a point's time begins; empty: with its last change.
    public var field: String
    /// Microseconds since 1970.
    public var updatedAt: Int64 = 0
    /// Points deleted since the collection first had a rule.
    public var deleted: UInt64 = 0

    public init(_ definition: CollectionDefinition, maxAgeSeconds: UInt32 = 0, field: String = "") {
        collectionID = definition.id
        collection = definition.name
        self.maxAgeSeconds = maxAgeSeconds
        self.field = field
    }

    public var isRule: Bool { maxAgeSeconds > 0 }

    /// Whether it asks for the same.
    func says(what other: Retention) -> Bool { (maxAgeSeconds, field) == (other.maxAgeSeconds, other.field) }

    var maxAge: Int64 { Int64(maxAgeSeconds) * 1_000_000 }

    /// For people.
    var text: String { "older than \(maxAgeSeconds) s by \(field.isEmpty ? "last change" : field)" }

    var key: [UInt8] { Retention.key(collectionID) }

    static func key(_ collection: UInt32) -> [UInt8] {
        var key: [UInt8] = []
        key.appendBigEndian(collection)
        return key
    }

    func check() throws(KithError) {
        guard maxAgeSeconds <= Limits.retentionSeconds else {
            throw .limit(
                field: "max_age_seconds", value: Int(maxAgeSeconds), limit: Int(Limits.retentionSeconds), unit: "seconds")
        }
        guard !field.isEmpty else { return }
        if !isRule { throw .invalid(.invalidValue, field: "field", "must be empty where there is to be no rule") }
        try GovernanceText.checkPath(field, field: "field")
    }
}

/// How the last sweep of a collection ended.
public struct RetentionResult: Sendable, Equatable {
    /// Microseconds since 1970; nil where none got through.
    public var sweptAt: Int64?
    /// Points that were too old, and are held.
    public var held: UInt64 = 0
    /// Points without a time.
    public var undated: UInt64 = 0
    /// Why it did not get through; empty where it did.
    public var problem = ""

    public init() {}
}

/// Deletions of a sweep that are told together, as far as they have come: kept, so that a crash makes nothing count twice.
public struct RetentionSweep: Sendable, Codable, Equatable {
    /// A point and the version that was too old.
    struct Target: Sendable, Codable, Equatable {
        var id: PointID
        var version: UInt64
    }

    public var collectionID: UInt32
    public var collection: String
    /// What it goes by.
    public var rule: String
    /// Points deleted.
    public var deleted: UInt64 = 0
    /// Points that turned out to be held.
    public var held: UInt64 = 0
    /// The commits that deleted them.
    public var positions: [ShardPosition] = []
    /// Names its writes: no other of the collection began at the same time.
    var startedAt: Int64
    var batches = 0
    /// The write that is under way.
    var batch: [Target] = []

    init(_ rule: Retention, at time: Int64) {
        collectionID = rule.collectionID
        collection = rule.collection
        self.rule = rule.text
        startedAt = time
    }

    var requestID: String { "retention/\(startedAt)/\(batches)" }
    var key: [UInt8] { Retention.key(collectionID) }
}
