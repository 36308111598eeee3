import KithCore

/// The few numbers that `apply` counts on; one row, written with every group of commits.
struct ShardState: Sendable, Equatable {
    /// Last commit applied.
    var position: LogPosition = 0
    /// Last version given to a point.
    var version: UInt64 = 0
    /// Living points.
    var points: UInt64 = 0
    /// First commit that the log still has.
    var firstPosition: LogPosition = 1
    /// Bytes of the log's rows.
    var logBytes: UInt64 = 0
    /// The next free slot of each space: rows from here on are named by no batch.
    var nextSlots: [UInt32]

    init(spaceCount: Int) {
        nextSlots = Array(repeating: 0, count: spaceCount)
    }

    init(decoding bytes: UnsafeRawBufferPointer) throws(KithError) {
        var reader = ByteReader(bytes)
        position = try reader.littleEndian()
        version = try reader.littleEndian()
        points = try reader.littleEndian()
        firstPosition = try reader.littleEndian()
        logBytes = try reader.littleEndian()
        nextSlots = []
        while !reader.isAtEnd { nextSlots.append(try reader.littleEndian()) }
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.appendLittleEndian(position)
        bytes.appendLittleEndian(version)
        bytes.appendLittleEndian(points)
        bytes.appendLittleEndian(firstPosition)
        bytes.appendLittleEndian(logBytes)
        for slot in nextSlots { bytes.appendLittleEndian(slot) }
    }
}
