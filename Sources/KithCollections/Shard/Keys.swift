import KithCore

/// Row keys. Each begins with its shard, so that a shard's rows lie together and go together.
enum Keys {
    /// collection (4), shard (2), both big-endian.
    static func shard(_ shard: ShardID) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(32)
        key.appendBigEndian(shard.collection)
        key.appendBigEndian(shard.shard)
        return key
    }

    /// Length of the part that every key of a shard begins with.
    static let shardBytes = 6

    /// The first key after all of the shard's.
    static func end(of shard: ShardID) -> [UInt8] {
        successor(Keys.shard(shard))
    }

    /// The bounds of all rows of a collection.
    static func bounds(collection: UInt32) -> (from: [UInt8], below: [UInt8]) {
        var lower: [UInt8] = []
        lower.appendBigEndian(collection)
        return (lower, successor(lower))
    }

    static func commit(_ shard: ShardID, _ position: LogPosition) -> [UInt8] {
        var key = Keys.shard(shard)
        key.appendBigEndian(position)
        return key
    }

    static func position(ofCommitKey key: UnsafeRawBufferPointer) -> LogPosition {
        key.bigEndian(at: shardBytes)
    }

    /// The shard's state in the meta family.
    static func state(_ shard: ShardID) -> [UInt8] { Keys.shard(shard) + [UInt8(ascii: "s")] }

    /// When the shard gave which versions, in the meta family.
    static func versionTimes(_ shard: ShardID) -> [UInt8] { Keys.shard(shard) + [UInt8(ascii: "v")] }

    /// A reader's cursor in the meta family.
    static func cursor(_ shard: ShardID, _ name: String) -> [UInt8] {
        Keys.shard(shard) + [UInt8(ascii: "c")] + Array(name.utf8)
    }

    /// The bounds of all cursors of a shard; names follow the lower one.
    static func cursors(_ shard: ShardID) -> (from: [UInt8], below: [UInt8]) {
        let lower = cursor(shard, "")
        return (lower, successor(lower))
    }

    /// A reader's note in the meta family.
    static func note(_ shard: ShardID, _ name: String) -> [UInt8] {
        Keys.shard(shard) + [UInt8(ascii: "n")] + Array(name.utf8)
    }

    /// The first answer to a request id.
    static func request(_ shard: ShardID, _ requestID: String) -> [UInt8] {
        Keys.shard(shard) + [UInt8(ascii: "r")] + Array(requestID.utf8)
    }

    /// How far an upsert stream has come.
    static func stream(_ shard: ShardID, _ streamID: String) -> [UInt8] {
        Keys.shard(shard) + [UInt8(ascii: "t")] + Array(streamID.utf8)
    }

    /// The bounds of all streams of a shard.
    static func streams(_ shard: ShardID) -> (from: [UInt8], below: [UInt8]) {
        let lower = stream(shard, "")
        return (lower, successor(lower))
    }

    /// Request ids by the position of their commit: what is forgotten first.
    static func requestAge(_ shard: ShardID, _ position: LogPosition, _ requestID: String = "") -> [UInt8] {
        var key = Keys.shard(shard) + [UInt8(ascii: "p")]
        key.appendBigEndian(position)
        key.append(contentsOf: requestID.utf8)
        return key
    }

    static func position(ofAgeKey key: UnsafeRawBufferPointer) -> LogPosition { key.bigEndian(at: shardBytes + 1) }

    /// The request id that an age key ends with.
    static func requestID(ofAgeKey key: UnsafeRawBufferPointer) -> String {
        String(decoding: key.dropFirst(shardBytes + 9), as: UTF8.self)
    }

    private static func successor(_ key: [UInt8]) -> [UInt8] {
        var next = key
        while let last = next.popLast() {
            if last < 0xFF {
                next.append(last + 1)
                return next
            }
        }
        return [UInt8](repeating: 0xFF, count: key.count + 1)
    }
}
