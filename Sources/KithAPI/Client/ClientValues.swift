import CGRPCShim
public import KithCore

/// A vector to send, or as it came.
public struct ClientVector: Sendable {
    /// Its numbers, in either of the forms that the protos have.
    public enum Components: Sendable {
        /// Turned into the space's element type by the server.
        case floats([Float])
        /// Little-endian components; of the space's element type where none is named.
        case bytes([UInt8], ElementType?)
    }

    /// The vector space; may be empty where the collection has one.
    public var space: String
    /// As many as the space has dimensions.
    public var components: Components

    /// - Parameter space: may be left out where the collection has one.
    public init(space: String = "", _ components: Components) {
        self.space = space
        self.components = components
    }
}

/// A point as it came.
public struct ClientPoint: Sendable {
    /// A number, a UUID or a name.
    public var id: PointID
    /// Empty where they were not asked for.
    public var vectors: [ClientVector]
    /// A JSON object as text; empty where there is none, or it was not asked for.
    public var payload: String
    /// Grows with each change of the point: `ClientOperation.ifVersion` compares with it.
    public var version: UInt64
    /// Only in search results; see `Metric`.
    public var score: Float

    init(_ view: KithPointView) throws(KithError) {
        id = try WireValues.pointID(view.id, field: "id")
        vectors = UnsafeBufferPointer(start: view.vectors, count: view.vector_count).map(ClientVector.init)
        payload = view.payload_json.text
        version = view.version
        score = view.score
    }
}

extension ClientVector {
    fileprivate init(_ view: KithVectorView) {
        space = view.space.text
        if view.value_count > 0 {
            components = .floats(Array(UnsafeBufferPointer(start: view.values, count: view.value_count)))
        } else {
            components = .bytes(view.data.view.array, UInt8(exactly: view.element_type).flatMap(ElementType.init(rawValue:)))
        }
    }
}

/// One thing to do to one point.
public struct ClientOperation: Sendable {
    /// What is done to the point.
    public enum Action: Sendable {
        /// Writes the point as a whole.
        case upsert(vectors: [ClientVector], payload: String, mode: WriteMode)
        /// Takes the point away; one that is not there is `notFound`.
        case delete
        /// A JSON merge patch (RFC 7396).
        case mergePayload(String)
        /// Replaces the vectors of the spaces named, and no others.
        case setVectors([ClientVector])
    }

    /// The point that it is about.
    public var id: PointID
    /// What is done to it.
    public var action: Action
    /// Only if this is the point's version; 0: only if there is no such point.
    public var ifVersion: UInt64?

    /// - Parameter ifVersion: done only if this is the point's version; 0: only if there is no such point.
    public init(id: PointID, _ action: Action, ifVersion: UInt64? = nil) {
        self.id = id
        self.action = action
        self.ifVersion = ifVersion
    }
}

/// What became of one operation.
public struct ClientOutcome: Sendable, Equatable {
    /// Raw values are those of the wire.
    public enum Result: Int32, Sendable {
        case created = 1
        case updated = 2
        case deleted = 3
        case notFound = 4
        case failed = 5
    }

    /// With `failed`, nothing was changed.
    public var result: Result
    /// The point's version afterwards; 0 where there is no point.
    public var version: UInt64
    /// The reason of a failure; else empty.
    public var error: String
}

/// The answer to a write.
public struct WriteAnswer: Sendable {
    /// One an operation.
    public var outcomes: [ClientOutcome]
    /// One a shard that took part.
    public var positions: [ShardPosition]
    /// The request had been done before.
    public var replayed: Bool
}

extension ShardPosition {
    init(_ view: KithShardPosition) {
        self.init(shard: UInt16(clamping: view.shard), position: view.position)
    }
}
