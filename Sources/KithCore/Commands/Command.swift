/// When a write is answered. Raw values are those of the wire.
public enum Durability: UInt8, Sendable, Codable, CaseIterable {
    /// Handed to the operating system: survives a crash of the process.
    case accepted = 1
    /// Synced to disk.
    case durable = 2
    /// Durable, and linked into every index.
    case indexed = 3
}

/// What an upsert may do. Raw values are those of the wire.
public enum WriteMode: UInt8, Sendable {
    /// Makes the point, or replaces it.
    case upsert = 1
    /// Fails where the point exists.
    case insertOnly = 2
    /// Fails where there is no such point.
    case updateOnly = 3
}

/// A vector to be stored: `bytes` are exactly `space.vectorBytes` long and checked.
public struct VectorWrite: Sendable {
    /// Place of the space in the collection's list.
    public var space: Int
    /// Borrowed from the command's `owner`.
    public var bytes: ByteView

    public init(space: Int, bytes: ByteView) {
        self.space = space
        self.bytes = bytes
    }
}

/// A change of a payload. Texts are JSON objects that the gateway has checked.
public enum PayloadChange: Sendable {
    /// Replaces the keys that are named.
    case set(ByteView)
    /// Merges objects key by key, at every depth (RFC 7396).
    case merge(ByteView)
    /// Replaces the whole payload.
    case replace(ByteView)
    /// Removes top-level keys; those that are not there are passed over.
    case deleteKeys([ByteView])
    /// Leaves the point without a payload.
    case clear
}

/// One thing to do to one point.
public struct Operation: Sendable {
    public enum Action: Sendable {
        /// Writes the whole point: spaces without a vector here have none afterwards.
        case upsert(WriteMode, payload: ByteView, vectors: [VectorWrite])
        case delete
        case updatePayload(PayloadChange)
        /// Replaces and removes vectors by space; the others stay.
        case updateVectors(set: [VectorWrite], remove: [Int])
    }

    public var id: PointID
    public var action: Action
    /// Only if this is the point's version; 0: only if there is no such point.
    public var ifVersion: UInt64?

    public init(id: PointID, action: Action, ifVersion: UInt64? = nil) {
        self.id = id
        self.action = action
        self.ifVersion = ifVersion
    }
}

/// Which items of an upsert stream a command holds: what makes a resumed stream repeat nothing.
public struct StreamProgress: Sendable {
    /// Chosen by the client.
    public var id: String
    /// The sequence of each operation.
    public var sequences: [UInt64]
    /// Every item of the stream up to this one is in this command or an earlier one.
    public var last: UInt64

    public init(id: String, sequences: [UInt64], last: UInt64) {
        self.id = id
        self.sequences = sequences
        self.last = last
    }

    /// The same progress, for the operations at `places` only.
    public func part(_ places: [Int]) -> StreamProgress {
        StreamProgress(id: id, sequences: places.map { sequences[$0] }, last: last)
    }
}

/// What operations that come together are.
public enum WritePurpose: Sendable {
    /// One request: a held point refuses all of it.
    case request
    /// Items of a stream, each a request of its own: a held point refuses its own item.
    case items
    /// An erasure: a request, of whose deletions the change log does not get what was before.
    case erasure
}

/// A write to one shard: everything `apply` needs to decide, the time included.
public struct Command: Sendable {
    /// Applied in order; at most `Limits.batchOperations`.
    public var operations: [Operation]
    /// Empty, or the client's name for this request within the shard.
    public var requestID: String
    /// Set where the operations are items of a resumable stream: those done before are skipped.
    public var stream: StreamProgress?
    /// The request: a serialised `kith.v1.RequestContext`.
    public var context: OwnedBytes?
    /// The revision of the collection's definition that the gateway checked the operations against.
    public var schemaVersion: UInt64
    /// What of payloads must not enter the change log; nil: nothing.
    public var redaction: PayloadRedaction?
    public var purpose: WritePurpose
    /// From this command on these legal holds stand; nil: those that stood.
    public var holds: LegalHolds?
    /// Microseconds since 1970, taken by the gateway.
    public var time: Int64
    /// Bytes of vectors and payloads: what the command weighs in a queue.
    public var byteCount: Int
    /// Keeps the bytes alive that the operations view.
    public var owner: any AnyObject & Sendable

    public init(
        operations: [Operation], requestID: String, stream: StreamProgress? = nil, context: OwnedBytes? = nil,
        schemaVersion: UInt64 = 0, redaction: PayloadRedaction? = nil, purpose: WritePurpose = .request, holds: LegalHolds? = nil,
        time: Int64, byteCount: Int, owner: any AnyObject & Sendable
    ) {
        self.operations = operations
        self.requestID = requestID
        self.stream = stream
        self.context = context
        self.schemaVersion = schemaVersion
        self.redaction = redaction
        self.purpose = purpose
        self.holds = holds
        self.time = time
        self.byteCount = byteCount
        self.owner = owner
    }
}

/// What became of one operation.
public struct WriteOutcome: Sendable, Hashable {
    /// Raw values are those of the wire.
    public enum Result: UInt8, Sendable {
        case created = 1
        case updated = 2
        case deleted = 3
        case notFound = 4
        /// A condition did not hold; `error` says which.
        case failed = 5
    }

    public var result: Result
    /// The point's version afterwards, 0 where there is none.
    public var version: UInt64
    /// Why it failed.
    public var error: ErrorReason?

    public init(_ result: Result, version: UInt64 = 0, error: ErrorReason? = nil) {
        self.result = result
        self.version = version
        self.error = error
    }
}

/// The answer to a command.
public struct CommitReply: Sendable, Hashable {
    /// One an operation, in order.
    public var outcomes: [WriteOutcome]
    public var position: LogPosition
    /// The command's request id had been committed before: these are its first outcomes.
    public var replayed: Bool

    public init(outcomes: [WriteOutcome], position: LogPosition, replayed: Bool = false) {
        self.outcomes = outcomes
        self.position = position
        self.replayed = replayed
    }
}

/// Where commands go to be ordered: at once into the shard here, or through a Kafka partition in a cluster.
public protocol CommandLog: Sendable {
    /// Orders and applies a command; `reply` is called exactly once, from any thread, when `durability` is met.
    func append(
        _ command: Command, durability: Durability, reply: @escaping @Sendable (Result<CommitReply, KithError>) -> Void)
}
