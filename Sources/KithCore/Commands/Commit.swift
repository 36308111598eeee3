/// What happened to a point. Raw values are those of the wire.
public enum ChangeOperation: UInt8, Sendable {
    case create = 1
    case update = 2
    case delete = 3
    case read = 4
}

/// One change of one point. Images borrow from the row they were read from.
public struct Change: Sendable {
    public var operation: ChangeOperation
    public var id: PointID
    public var before: PointImage?
    public var after: PointImage?
    /// Keeps what the images borrow from, where that is not the row.
    public var owner: OwnedBytes?

    public init(
        operation: ChangeOperation, id: PointID, before: PointImage?, after: PointImage?, owner: OwnedBytes? = nil
    ) {
        self.owner = owner
        self.operation = operation
        self.id = id
        self.before = before
        self.after = after
    }
}

/// One row of the change log: everything one commit changed, in order.
///
/// Bytes: format (1), time (8), request id (sized), context (sized), schema version and first version (varints), number of changes (varint), for
/// each its operation (1), id (sized), and the images it has, sized; number of facts (varint), and the facts. Format 1 had no context, no versions
/// and no facts.
public struct Commit: Sendable {
    public static let format: UInt8 = 2
    private static let oldestFormat: UInt8 = 1

    public var position: LogPosition
    /// Microseconds since 1970.
    public var time: Int64
    public var requestID: String
    /// The request: a serialised `kith.v1.RequestContext`, which this module need not understand. Empty where it was not recorded.
    public var context: ByteView
    /// The revision of the collection's definition under which it was made; 0 where it was not recorded.
    public var schemaVersion: UInt64
    /// The version that the first change gave its point; each further change gave the next one. 0 where it was not recorded.
    public var firstVersion: UInt64
    public var changes: [Change]
    public var facts: [Fact]

    public init(
        position: LogPosition, time: Int64, requestID: String, context: ByteView = .empty, schemaVersion: UInt64 = 0,
        firstVersion: UInt64 = 0, changes: [Change], facts: [Fact] = []
    ) {
        self.position = position
        self.time = time
        self.requestID = requestID
        self.context = context
        self.schemaVersion = schemaVersion
        self.firstVersion = firstVersion
        self.changes = changes
        self.facts = facts
    }

    /// The version that a change gave its point; 0 for a deletion whose version was not recorded.
    public func version(ofChange index: Int) -> UInt64 {
        changes[index].after?.version ?? (firstVersion == 0 ? 0 : firstVersion + UInt64(index))
    }

    /// Reads a row; images borrow from `bytes`.
    public init(position: LogPosition, decoding bytes: UnsafeRawBufferPointer) throws(KithError) {
        var reader = ByteReader(bytes)
        let format = try reader.byte()
        guard (Commit.oldestFormat...Commit.format).contains(format) else {
            throw KithError(
                .dataLoss, .corruption,
                "a change-log row has format \(format), this reads \(Commit.oldestFormat) to \(Commit.format)")
        }
        let hasContext = format >= 2
        self.position = position
        time = try reader.littleEndian()
        requestID = try reader.text()
        context = hasContext ? ByteView(try reader.sized()) : .empty
        schemaVersion = hasContext ? try reader.varint() : 0
        firstVersion = hasContext ? try reader.varint() : 0
        let count = try reader.varint()
        changes = []
        changes.reserveCapacity(Int(clamping: min(count, UInt64(Limits.batchOperations))))
        for _ in 0..<count { changes.append(try Commit.change(&reader)) }
        facts = []
        guard hasContext else { return }
        for _ in 0..<(try reader.varint()) { facts.append(try Fact(&reader)) }
    }

    private static func change(_ reader: inout ByteReader) throws(KithError) -> Change {
        let code = try reader.byte()
        guard let operation = ChangeOperation(rawValue: code), let id = PointID(encoded: try reader.sized()) else {
            throw KithError(.dataLoss, .corruption, "a change-log row holds an unknown change \(code)")
        }
        let before: PointImage? = operation == .create ? nil : try PointImage(decoding: try reader.sized())
        let after: PointImage? = operation == .delete ? nil : try PointImage(decoding: try reader.sized())
        return Change(operation: operation, id: id, before: before, after: after)
    }

    /// Begins a row; `changeCount` changes must follow, and then the facts.
    public static func encodeHeader(
        time: Int64, requestID: String, context: ByteView = .empty, schemaVersion: UInt64 = 0, firstVersion: UInt64 = 0,
        changeCount: Int, into bytes: inout [UInt8]
    ) {
        bytes.append(format)
        bytes.appendLittleEndian(time)
        bytes.appendSized(requestID)
        bytes.appendSized(context.bytes)
        bytes.appendVarint(schemaVersion)
        bytes.appendVarint(firstVersion)
        bytes.appendVarint(UInt64(changeCount))
    }

    /// Ends a row.
    public static func encodeFacts(_ facts: [Fact] = [], into bytes: inout [UInt8]) {
        bytes.appendVarint(UInt64(facts.count))
        for fact in facts { fact.encode(into: &bytes) }
    }

    /// Adds a change; `before` and `after` are encoded images, empty where there is none.
    public static func encodeChange(
        _ operation: ChangeOperation, encodedID: UnsafeRawBufferPointer, before: UnsafeRawBufferPointer,
        after: UnsafeRawBufferPointer, into bytes: inout [UInt8]
    ) {
        bytes.append(operation.rawValue)
        bytes.appendSized(encodedID)
        if operation != .create { bytes.appendSized(before) }
        if operation != .delete { bytes.appendSized(after) }
    }
}
