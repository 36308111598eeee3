/// What happens when vectors arrive faster than they are linked. Raw values are those of the wire.
public enum TailPolicy: UInt8, Sendable, Codable {
    /// Writes wait until the tail is short enough.
    case slowWriters = 1
    /// Searches leave out what is not linked, and say how much.
    case indexedOnly = 2
}

/// How vectors stand in change events. Raw values are those of the wire.
public enum EventVectors: UInt8, Sendable, Codable {
    /// They are left out.
    case none = 1
    /// An XXH3-64 of each stands for it.
    case digest = 2
    /// Their bytes are in the event.
    case full = 3
}

/// How a change event is written to Kafka. Raw values are those of the wire.
public enum EventEncoding: UInt8, Sendable, Codable {
    /// As `kith.v1.ChangeEvent`.
    case protobuf = 1
    /// As canonical protobuf JSON of the same message.
    case json = 2
}

/// Everything a collection is made of, but its points.
public struct CollectionDefinition: Sendable, Hashable, Codable {
    /// Vectors that may wait to be linked before the tail policy applies, where nobody says otherwise.
    public static let defaultTailVectors: UInt32 = 200_000

    /// Unique among the node's collections and aliases; may be changed.
    public var name: String
    /// Given once and never used again: rows, files and events name it.
    public var id: UInt32
    /// At most `Limits.vectorSpaces`; their order is that of vectors in rows.
    public var spaces: [VectorSpace]
    /// Fixed when the collection is made.
    public var shardCount: Int
    /// Of writes that name none.
    public var durability: Durability
    /// For people; no part of Kith reads it.
    public var description: String
    /// Keys and values of the user's own.
    public var labels: [String: String]
    /// What happens past `tailVectors`.
    public var tailPolicy: TailPolicy
    /// Vectors of a shard that may wait to be linked; at `defaultTailVectors`, no more than searches can afford.
    public var tailVectors: UInt32
    /// In the changes topic, in `Subscribe` and in webhooks.
    public var eventVectors: EventVectors
    /// Of values in Kafka.
    public var eventEncoding: EventEncoding
    /// Absent in definitions that an earlier release stored.
    private var streams: EventStreams?
    private var memoryBudget: Int?
    private var maintenancePaused: Bool?
    /// Counts the changes of this definition; the etag.
    public var revision: UInt64
    /// Microseconds since 1970.
    public var createdAt: Int64
    /// Microseconds since 1970.
    public var updatedAt: Int64

    public init(
        name: String, id: UInt32 = 0, spaces: [VectorSpace], shardCount: Int = 1, durability: Durability = .durable,
        description: String = "", labels: [String: String] = [:], tailPolicy: TailPolicy = .slowWriters,
        tailVectors: UInt32 = CollectionDefinition.defaultTailVectors, eventVectors: EventVectors = .digest,
        eventEncoding: EventEncoding = .protobuf, events: EventStreams = EventStreams(), memoryBudgetBytes: Int = 0,
        revision: UInt64 = 1,
        createdAt: Int64 = 0, updatedAt: Int64 = 0
    ) {
        self.name = name
        self.id = id
        self.spaces = spaces
        self.shardCount = shardCount
        self.durability = durability
        self.description = description
        self.labels = labels
        self.tailPolicy = tailPolicy
        self.tailVectors = tailVectors
        self.eventVectors = eventVectors
        self.eventEncoding = eventEncoding
        streams = events
        memoryBudget = memoryBudgetBytes
        self.revision = revision
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// Redaction, and the topics beside the changes topic.
    public var events: EventStreams {
        get { streams ?? EventStreams() }
        set { streams = newValue }
    }

    /// Bytes of memory that its codes, links and mapped vectors may take; 0: any number.
    public var memoryBudgetBytes: Int {
        get { memoryBudget ?? 0 }
        set { memoryBudget = newValue }
    }

    /// Whether its indexes are left as they are: nothing is made anew, calibrated or cleared of what was removed. Fresh vectors are linked all
    /// the same.
    public var isMaintenancePaused: Bool {
        get { maintenancePaused ?? false }
        set { maintenancePaused = newValue ? true : nil }
    }

    /// The place of a space; an empty name stands for the only one.
    ///
    /// - Throws: `UNKNOWN_VECTOR_SPACE`, naming `field` and the spaces there are.
    public func spaceIndex(_ name: String, field: String) throws(KithError) -> Int {
        if name.isEmpty, spaces.count == 1 { return 0 }
        if let index = spaces.firstIndex(where: { $0.name == name }) { return index }
        let known = spaces.map { "'\($0.name)'" }.joined(separator: ", ")
        throw .invalid(
            .unknownVectorSpace, field: field, "'\(name)' is none of the collection's vector spaces (\(known))",
            metadata: ["vector_space": name, "collection": self.name])
    }
}
