import CRocksDB

extension Database {
    /// How bad it is.
    public enum LogLevel: Sendable { case warning, error }

    /// What an operator may tune. The defaults suit 10^5 small rows a second on a few cores.
    public struct Options: Sendable {
        /// Bytes of decompressed blocks, indexes and filters kept in memory, shared by all column families.
        public var blockCacheBytes = 256 << 20
        /// Bytes of one memory table. A busy column family holds up to `memoryTables` of them.
        public var writeBufferBytes = 32 << 20
        /// Memory tables of one column family, filling or being flushed, before writes stall.
        public var memoryTables = 4
        /// Threads that flush and compact.
        public var maxBackgroundJobs = 2
        /// Bytes of write-ahead log kept before the families that hold it back are flushed: bounds its disk and the time of recovery.
        /// Small families would else hold back what the busy ones have long flushed.
        public var maxLogBytes: UInt64 = 64 << 20
        /// Table files held open.
        public var maxOpenFiles = 512
        /// Bits of Bloom filter a key, in families read by exact key. Ten give about 1 % false positives.
        public var bloomBitsPerKey = 10.0

        /// Changes nothing on disk, and has no use for a log broken off in the middle.
        public var isReadOnly = false

        /// Takes RocksDB's warnings and errors, from any thread. There is no file LOG.
        public var log: @Sendable (LogLevel, String) -> Void = { _, _ in }

        public init() {}

        /// Takes at most an eighth of a memory budget for cached blocks, and about as much for the memory tables of the busiest family.
        public mutating func fit(memoryBudget: Int) {
            blockCacheBytes = min(blockCacheBytes, memoryBudget / 8)
            writeBufferBytes = min(writeBufferBytes, max(memoryBudget / 8 / memoryTables, Options.leastWriteBuffer))
        }

        private static let leastWriteBuffer = 1 << 20
    }
}

/// RocksDB's option objects: alive from the settings until the database is closed.
final class NativeOptions {
    let database: OpaquePointer
    let families: [OpaquePointer]
    private let cache: OpaquePointer
    private let log: Log

    /// What RocksDB's threads call back.
    private final class Log: Sendable {
        let take: @Sendable (Database.LogLevel, String) -> Void

        init(_ take: @escaping @Sendable (Database.LogLevel, String) -> Void) { self.take = take }
    }

    init(_ options: Database.Options) {
        cache = rocksdb_cache_create_lru(options.blockCacheBytes)
        database = rocksdb_options_create()
        log = Log(options.log)
        // Not only for the reader's sake: on a full disk Debian's build, which keeps its assertions, aborts the process over
        // the second line that it cannot write to a file.
        kith_rocksdb_set_log(
            database, warningLevel,
            { context, level, line, count in
                guard let context else { return }
                let text = String(decoding: UnsafeRawBufferPointer(start: line, count: count), as: UTF8.self)
                Unmanaged<Log>.fromOpaque(context).takeUnretainedValue().take(level == warningLevel ? .warning : .error, text)
            }, Unmanaged.passUnretained(log).toOpaque())
        configure(database: database, options)
        families = ColumnFamily.allCases.map { [cache] family in
            let handle: OpaquePointer = rocksdb_options_create()
            configure(family, handle, cache: cache, options)
            return handle
        }
    }

    deinit {
        families.forEach(rocksdb_options_destroy)
        rocksdb_options_destroy(database)
        rocksdb_cache_destroy(cache)
    }
}

/// RocksDB's number of it; errors and worse are above.
private let warningLevel: Int32 = 2

private func configure(database: OpaquePointer, _ options: Database.Options) {
    rocksdb_options_set_create_if_missing(database, 1)
    rocksdb_options_set_create_missing_column_families(database, 1)
    rocksdb_options_set_max_background_jobs(database, Int32(options.maxBackgroundJobs))
    rocksdb_options_set_max_total_wal_size(database, options.maxLogBytes)
    rocksdb_options_set_max_open_files(database, Int32(options.maxOpenFiles))
    // A crash may tear the last, unacknowledged group: recovery stops there. It refuses to open when a table file is
    // newer than the point where the log breaks.
    // Who only looks wants to know of a break that is not at the end.
    rocksdb_options_set_wal_recovery_mode(
        database, Int32(options.isReadOnly ? rocksdb_tolerate_corrupted_tail_records_recovery : rocksdb_point_in_time_recovery))
    // Shards write from several threads: one's memory table may fill while another's log is being synced. A batch stays
    // atomic and snapshots stay immutable, which `unordered_write` would give up.
    rocksdb_options_set_enable_pipelined_write(database, 1)
    // Compaction writes back as it goes, rather than in bursts that the log's sync would wait behind.
    rocksdb_options_set_bytes_per_sync(database, 1 << 20)
}

private func configure(_ family: ColumnFamily, _ handle: OpaquePointer, cache: OpaquePointer, _ options: Database.Options) {
    rocksdb_options_set_write_buffer_size(handle, options.writeBufferBytes)
    rocksdb_options_set_max_write_buffer_number(handle, Int32(options.memoryTables))
    rocksdb_options_set_target_file_size_base(handle, UInt64(options.writeBufferBytes))
    rocksdb_options_set_max_bytes_for_level_base(handle, UInt64(options.writeBufferBytes) * 4)
    rocksdb_options_set_level_compaction_dynamic_level_bytes(handle, 1)

    let table: OpaquePointer = rocksdb_block_based_options_create()
    defer { rocksdb_block_based_options_destroy(table) }
    rocksdb_block_based_options_set_block_cache(table, cache)
    rocksdb_block_based_options_set_format_version(table, 5)
    // Indexes and filters count against the cache, so that memory has one bound.
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1)
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1)
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1)

    switch family {
    case .points, .requests:
        rocksdb_block_based_options_set_block_size(table, 8 << 10)
        rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(options.bloomBitsPerKey))
        rocksdb_block_based_options_set_whole_key_filtering(table, 1)
        // Most ids looked up before an insert are new: the memory tables' own filters answer for them.
        rocksdb_options_set_memtable_prefix_bloom_size_ratio(handle, 0.05)
        rocksdb_options_set_memtable_whole_key_filtering(handle, 1)
    case .changes:
        rocksdb_block_based_options_set_block_size(table, 32 << 10)
    case .meta, .catalogue, .webhooks: break
    }
    rocksdb_options_set_block_based_table_factory(handle, table)
    // RocksDB refuses to open when it was built without the library.
    rocksdb_options_set_compression(handle, Int32(rocksdb_lz4_compression))
}
