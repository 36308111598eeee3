import CRocksDB
public import KithCore

/// Rows of one column family in key order, between two bounds, as of the moment it was made. Used by one thread at a time.
///
/// A move that ends in an error throws it, so that a damaged range never looks like a short one.
public final class RowIterator: @unchecked Sendable {
    private let iterator: OpaquePointer
    private let readOptions: OpaquePointer
    /// Both bounds, one after the other: RocksDB keeps pointers to them.
    private let bounds: UnsafeMutableRawBufferPointer
    // The iterator reads through both.
    private let database: Database
    private let snapshot: DatabaseSnapshot?

    /// Stands at the first row.
    init(
        database: Database, family: ColumnFamily, from lower: [UInt8], below upper: [UInt8]?, at snapshot: DatabaseSnapshot?,
        readahead: Int
    ) throws(KithError) {
        self.database = database
        self.snapshot = snapshot
        bounds = .allocate(byteCount: max(lower.count + (upper?.count ?? 0), 1), alignment: 1)
        bounds.copyBytes(from: lower + (upper ?? []))
        readOptions = rocksdb_readoptions_create()
        if let snapshot { rocksdb_readoptions_set_snapshot(readOptions, snapshot.handle) }
        let start = UnsafeRawBufferPointer(bounds).characters
        rocksdb_readoptions_set_iterate_lower_bound(readOptions, start, lower.count)
        if let upper { rocksdb_readoptions_set_iterate_upper_bound(readOptions, start + lower.count, upper.count) }
        if readahead > 0 {
            rocksdb_readoptions_set_readahead_size(readOptions, readahead)
            // A long scan must not push the hot rows out of the cache.
            rocksdb_readoptions_set_fill_cache(readOptions, 0)
        }
        iterator = rocksdb_create_iterator_cf(database.handle, readOptions, database.handle(of: family))
        rocksdb_iter_seek_to_first(iterator)
        try check()
    }

    deinit {
        rocksdb_iter_destroy(iterator)
        rocksdb_readoptions_destroy(readOptions)
        bounds.deallocate()
    }

    /// Whether the iterator stands on a row.
    public var isValid: Bool { rocksdb_iter_valid(iterator) != 0 }

    /// The row's key, until the next move. The iterator must be valid.
    public var key: UnsafeRawBufferPointer {
        precondition(isValid, "the iterator stands on no row")
        var count = 0
        let start = rocksdb_iter_key(iterator, &count)
        return UnsafeRawBufferPointer(start: start, count: count)
    }

    /// The row's value, until the next move. The iterator must be valid.
    public var value: UnsafeRawBufferPointer {
        precondition(isValid, "the iterator stands on no row")
        var count = 0
        let start = rocksdb_iter_value(iterator, &count)
        return UnsafeRawBufferPointer(start: start, count: count)
    }

    /// Moves to the next row; past the last one the iterator is no longer valid.
    public func next() throws(KithError) {
        precondition(isValid, "the iterator stands on no row")
        rocksdb_iter_next(iterator)
        try check()
    }

    /// Moves to the row before; ahead of the first one the iterator is no longer valid.
    public func previous() throws(KithError) {
        precondition(isValid, "the iterator stands on no row")
        rocksdb_iter_prev(iterator)
        try check()
    }

    /// Moves to the first row at or after `key`.
    public func seek(_ key: [UInt8]) throws(KithError) {
        key.withUnsafeBytes { rocksdb_iter_seek(iterator, $0.characters, $0.count) }
        try check()
    }

    /// Moves to the last row at or before `key`.
    public func seekBackward(_ key: [UInt8]) throws(KithError) {
        key.withUnsafeBytes { rocksdb_iter_seek_for_prev(iterator, $0.characters, $0.count) }
        try check()
    }

    public func seekToFirst() throws(KithError) {
        rocksdb_iter_seek_to_first(iterator)
        try check()
    }

    public func seekToLast() throws(KithError) {
        rocksdb_iter_seek_to_last(iterator)
        try check()
    }

    private func check() throws(KithError) {
        guard !isValid else { return }
        try checked("cannot read on") { rocksdb_iter_get_error(iterator, &$0) }
    }
}
