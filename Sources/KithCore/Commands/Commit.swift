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
/// Bytes: format (1), time (8), request id (sized), number of changes (varint), for each its operation (1), id (sized), and the images it has, sized.
public struct Commit: Sendable {
    public static let format: UInt8 = 1

    public var position: LogPosition
    /// Microseconds since 1970.
    public var time: Int64
    public var requestID: String
    public var changes: [Change]

    public init(position: LogPosition, time: Int64, requestID: String, changes: [Change]) {
        self.position = position
        self.time = time
        self.requestID = requestID
        self.changes = changes
    }

    /// Reads a row; images borrow from `bytes`.
    public init(position: LogPosition, decoding bytes: UnsafeRawBufferPointer) throws(KithError) {
        var reader = ByteReader(bytes)
        let format = try reader.byte()
        guard format == Commit.format else {
            throw KithError(.dataLoss, .corruption, "a change-log row has format \(format), this is \(Commit.format)")
        }
        self.position = position
        time = try reader.littleEndian()
        requestID = try reader.text()
        let count = try reader.varint()
        changes = []
        changes.reserveCapacity(Int(clamping: min(count, UInt64(Limits.batchOperations))))
        for _ in 0..<count { changes.append(try Commit.change(&reader)) }
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

    /// Begins a row; `changeCount` changes must follow.
    public static func encodeHeader(time: Int64, requestID: String, changeCount: Int, into bytes: inout [UInt8]) {
        bytes.append(format)
        bytes.appendLittleEndian(time)
        bytes.appendSized(requestID)
        bytes.appendVarint(UInt64(changeCount))
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
