public import KithCore

/// A legal hold: points that nobody may change or delete, until it is released. Then it stays as a record.
public struct LegalHold: Sendable, Codable, Equatable {
    public var name: String
    /// The collection's id: one made later under the same name is another.
    public var collectionID: UInt32
    public var collection: String
    public var held: HeldPoints
    /// For people.
    public var reason: String
    /// Microseconds since 1970.
    public var placedAt: Int64 = 0
    /// Nil while it stands.
    public var releasedAt: Int64?
    /// For people.
    public var releaseReason = ""

    public init(_ name: String, on definition: CollectionDefinition, held: HeldPoints, reason: String = "") {
        self.name = name
        collectionID = definition.id
        collection = definition.name
        self.held = held
        self.reason = reason
    }

    public var isStanding: Bool { releasedAt == nil }

    func check() throws(KithError) {
        try ResourceName.check(name, field: "hold.name")
        try GovernanceText.check(reason, field: "hold.reason", limit: Limits.descriptionBytes)
        switch held {
        case .whole: break
        case .points(let ids):
            guard (1...Limits.subjectPoints).contains(ids.count) else {
                throw .limit(field: "hold.points", value: ids.count, limit: Limits.subjectPoints, unit: "points")
            }
        case .field(let path, let value): try SubjectField.check(path, value, in: "hold")
        }
    }
}

/// A payload field and its value, which say whose points are meant.
enum SubjectField {
    static func check(_ path: String, _ value: String, in message: String) throws(KithError) {
        try GovernanceText.checkPath(path, field: "\(message).field")
        try GovernanceText.check(value, field: "\(message).value_json", limit: Limits.subjectValueBytes)
        guard PayloadMatch.isValue(value) else {
            throw .invalid(.invalidValue, field: "\(message).value_json", "must be a text in quotes, a number, true or false")
        }
    }
}
