/// What happens when vectors arrive faster than they are linked. Raw values are those of the wire.
public enum TailPolicy: UInt8, Sendable, Codable {
    case slowWriters = 1
    case indexedOnly = 2
}

/// How vectors stand in change events. Raw values are those of the wire.
public enum EventVectors: UInt8, Sendable, Codable {
    case none = 1
    case digest = 2
    case full = 3
}

/// How a change event is written to Kafka. Raw values are those of the wire.
public enum EventEncoding: UInt8, Sendable, Codable {
    case protobuf = 1
    case json = 2
}

/// Everything a collection is made of, but its points.
public struct CollectionDefinition: Sendable, Hashable, Codable {
    public static let defaultTailVectors: UInt32 = 200_000

    public var name: String
    public var id: UInt32
    public var spaces: [VectorSpace]
    public var shardCount: Int
    public var durability: Durability
    public var description: String
    public var labels: [String: String]
    public var tailPolicy: TailPolicy
    public var tailVectors: UInt32
    public var eventVectors: EventVectors
    public var eventEncoding: EventEncoding
    /// Absent in definitions that an earlier release stored.
    private var streams: EventStreams?
    /// Counts the changes of this definition; the etag.
    public var revision: UInt64
    /// Microseconds since 1970.
    public var createdAt: Int64
    public var updatedAt: Int64

    public init(
        name: String, id: UInt32 = 0, spaces: [VectorSpace], shardCount: Int = 1, durability: Durability = .durable,
        description: String = "", labels: [String: String] = [:], tailPolicy: TailPolicy = .slowWriters,
        tailVectors: UInt32 = CollectionDefinition.defaultTailVectors, eventVectors: EventVectors = .digest,
        eventEncoding: EventEncoding = .protobuf, events: EventStreams = EventStreams(), revision: UInt64 = 1,
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
        self.revision = revision
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    public var events: EventStreams {
        get { streams ?? EventStreams() }
        set { streams = newValue }
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
