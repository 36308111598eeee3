import CRocksDB
public import KithCore

/// Changes that take effect together or not at all, over any column families; kept in order.
///
/// One writer fills it, writes it, clears it and fills it again: after warm-up nothing is allocated. Used by one thread at a time.
public final class WriteBatch: @unchecked Sendable {
    let handle: OpaquePointer
    private let database: Database
    private var pointers: [UnsafePointer<CChar>?] = []
    private var sizes: [Int] = []

    init(database: Database) {
        self.database = database
        handle = rocksdb_writebatch_create()
    }

    deinit { rocksdb_writebatch_destroy(handle) }

    /// Changes so far.
    public var count: Int { Int(rocksdb_writebatch_count(handle)) }

    /// Bytes that the write-ahead log will take.
    public var byteCount: Int {
        var size = 0
        _ = rocksdb_writebatch_data(handle, &size)
        return size
    }

    /// Forgets all changes and keeps the memory.
    public func clear() { rocksdb_writebatch_clear(handle) }

    /// Sets a row; key and value are copied.
    public func put(_ family: ColumnFamily, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        rocksdb_writebatch_put_cf(
            handle, database.handle(of: family), key.characters, key.count, value.characters, value.count)
    }

    public func put(_ family: ColumnFamily, key: [UInt8], value: [UInt8]) {
        key.withUnsafeBytes { key in value.withUnsafeBytes { put(family, key: key, value: $0) } }
    }

    /// Sets a row to the concatenation of `parts`, without gathering them first.
    public func put(_ family: ColumnFamily, key: UnsafeRawBufferPointer, parts: [ByteView]) {
        pointers.removeAll(keepingCapacity: true)
        sizes.removeAll(keepingCapacity: true)
        for part in parts {
            pointers.append(part.bytes.characters)
            sizes.append(part.count)
        }
        var keyStart: UnsafePointer<CChar>? = key.characters
        var keyCount = key.count
        rocksdb_writebatch_putv_cf(
            handle, database.handle(of: family), 1, &keyStart, &keyCount, Int32(parts.count), pointers, sizes)
    }

    /// Removes a row, if there is one.
    public func delete(_ family: ColumnFamily, key: UnsafeRawBufferPointer) {
        rocksdb_writebatch_delete_cf(handle, database.handle(of: family), key.characters, key.count)
    }

    public func delete(_ family: ColumnFamily, key: [UInt8]) {
        key.withUnsafeBytes { delete(family, key: $0) }
    }

    /// Removes the rows from `lower` up to and without `upper`: one entry, whatever their number.
    public func deleteRange(_ family: ColumnFamily, from lower: [UInt8], below upper: [UInt8]) {
        lower.withUnsafeBytes { lower in
            upper.withUnsafeBytes { upper in
                rocksdb_writebatch_delete_range_cf(
                    handle, database.handle(of: family), lower.characters, lower.count, upper.characters, upper.count)
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes as the C interface wants them: never null.
    var characters: UnsafePointer<CChar> {
        guard let baseAddress else { return noCharacters }
        return baseAddress.assumingMemoryBound(to: CChar.self)
    }
}

private nonisolated(unsafe) let noCharacters = UnsafePointer(UnsafeMutablePointer<CChar>.allocate(capacity: 1))
