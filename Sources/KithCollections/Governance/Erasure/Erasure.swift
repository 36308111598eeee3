public import KithCore

/// A request that somebody's data be gone, and how far it has come.
public struct Erasure: Sendable, Codable, Equatable {
    /// Raw values are those of the wire.
    public enum Stage: Int, Sendable, Codable {
        /// Points are being deleted.
        case deleting = 1
        /// Readers of changes have still to see the deletions: until then the log keeps what was before.
        case waitingForReaders = 2
        /// What the change log and the vectors' files have of the points is being removed.
        case scrubbing = 3
        /// The store's files are being rewritten without deleted rows.
        case compacting = 4
        /// It is done, and was told.
        case proved = 5
    }

    public var name: String
    /// Whose data: an opaque name, which is told.
    public var subject: String
    public var collectionID: UInt32
    public var collection: String
    /// Which points; nil once they are gone, for what names them may be personal itself.
    public var held: HeldPoints?
    /// For people.
    public var reason: String
    public var stage = Stage.deleting
    /// Why it does not go on; empty while it does.
    public var problem = ""
    /// Points that are to go.
    public var requested: UInt64 = 0
    /// Those that were there, and were deleted.
    public var deleted: UInt64 = 0
    /// Commits at which none of the points is there.
    public var positions: [ShardPosition] = []
    /// Commits of the change log from which the points' images were taken.
    public var redactedCommits: UInt64 = 0
    /// Stored vectors that were overwritten.
    public var overwrittenVectors: UInt64 = 0
    /// SHA-256 of the points' ids as text, sorted bytewise, each followed by a line feed; empty until they are gone.
    public var digest: [UInt8] = []
    /// Microseconds since 1970.
    public var requestedAt: Int64 = 0
    /// Nil until it is proved.
    public var provedAt: Int64?

    public init(
        _ name: String, subject: String, on definition: CollectionDefinition, points: HeldPoints, reason: String = ""
    ) {
        self.name = name
        self.subject = subject
        collectionID = definition.id
        collection = definition.name
        held = points
        self.reason = reason
    }

    func check() throws(KithError) {
        try ResourceName.check(name, field: "erasure.name")
        if subject.isEmpty { throw .invalid(.requiredFieldMissing, field: "erasure.subject", "must name whose data it is") }
        try GovernanceText.check(subject, field: "erasure.subject", limit: Limits.labelBytes)
        try GovernanceText.check(reason, field: "erasure.reason", limit: Limits.descriptionBytes)
        switch held {
        case .whole, nil:
            throw .invalid(.invalidValue, field: "erasure", "a whole collection is deleted, not erased")
        case .points(let ids):
            guard (1...Limits.subjectPoints).contains(ids.count) else {
                throw .limit(field: "erasure.points", value: ids.count, limit: Limits.subjectPoints, unit: "points")
            }
        case .field(let path, let value): try SubjectField.check(path, value, in: "erasure")
        }
    }
}
