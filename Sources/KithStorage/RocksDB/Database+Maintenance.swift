import CRocksDB
public import KithCore

extension Database {
    /// Bytes of table files that the rows with `lower <= key < upper` take, about; memory tables are not counted.
    public func approximateBytes(_ family: ColumnFamily, from lower: [UInt8], to upper: [UInt8]) throws(KithError) -> UInt64 {
        var size: UInt64 = 0
        try checked("cannot measure a range of \(path)") { report in
            lower.withUnsafeBytes { lower in
                upper.withUnsafeBytes { upper in
                    var start: UnsafePointer<CChar>? = lower.characters
                    var end: UnsafePointer<CChar>? = upper.characters
                    var startCount = lower.count
                    var endCount = upper.count
                    rocksdb_approximate_sizes_cf(
                        handle, handle(of: family), 1, &start, &startCount, &end, &endCount, &size, &report)
                }
            }
        }
        return size
    }

    /// Syncs the write-ahead log: batches written without a sync are durable from then on.
    public func syncLog() throws(KithError) {
        try checked("cannot sync the log of \(path)") { rocksdb_flush_wal(handle, 1, &$0) }
    }

    /// Reads every block of every table file and compares its checksum.
    ///
    /// - Throws: `CORRUPTION`, naming the first file that is damaged.
    public func verifyChecksums() throws(KithError) {
        try checked("the database in \(path) is damaged") { kith_rocksdb_verify_checksums(handle, &$0) }
    }

    /// Writes all memory tables to table files; returns when they are on disk.
    public func flush() throws(KithError) {
        let options: OpaquePointer = rocksdb_flushoptions_create()
        defer { rocksdb_flushoptions_destroy(options) }
        rocksdb_flushoptions_set_wait(options, 1)
        for family in ColumnFamily.allCases {
            try checked("cannot flush \(path)") { rocksdb_flush_cf(handle, options, handle(of: family), &$0) }
        }
    }

    /// Rewrites the files of a range without its dead rows; nil bounds are open. Reads and writes go on.
    public func compactRange(_ family: ColumnFamily, from lower: [UInt8]? = nil, to upper: [UInt8]? = nil) {
        // An absent bound is a null pointer, an empty one is not.
        func withBound(_ bound: [UInt8]?, _ body: (UnsafePointer<CChar>?, Int) -> Void) {
            guard let bound else { return body(nil, 0) }
            bound.withUnsafeBytes { body($0.characters, $0.count) }
        }
        withBound(lower) { start, startCount in
            withBound(upper) { end, endCount in
                rocksdb_compact_range_cf(handle, handle(of: family), start, startCount, end, endCount)
            }
        }
    }

    /// A RocksDB property such as `rocksdb.stats`, of one family; nil when RocksDB does not know it.
    public func property(_ name: String, of family: ColumnFamily = .meta) -> String? {
        guard let text = rocksdb_property_value_cf(handle, handle(of: family), name) else { return nil }
        defer { rocksdb_free(text) }
        return String(cString: text)
    }

    /// Bytes of all table files, those awaiting deletion included, and of all memory tables.
    public var liveBytes: UInt64 {
        ColumnFamily.allCases.reduce(0) { sum, family in
            sum + number("rocksdb.total-sst-files-size", of: family) + number("rocksdb.cur-size-all-mem-tables", of: family)
        }
    }

    private func number(_ property: String, of family: ColumnFamily) -> UInt64 {
        var value: UInt64 = 0
        rocksdb_property_int_cf(handle, handle(of: family), property, &value)
        return value
    }
}
