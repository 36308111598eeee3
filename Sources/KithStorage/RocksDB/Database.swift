import CRocksDB
import Glibc
public import KithCore

/// The one RocksDB database of a node: atomic batches over its column families, point reads, snapshots, ordered scans.
///
/// Safe to use from any thread. Batches, snapshots and iterators keep it open; it closes with the last of them.
public final class Database: @unchecked Sendable {
    public let path: String
    let handle: OpaquePointer
    let readOptions: OpaquePointer
    private let families: [OpaquePointer]
    private let synced: OpaquePointer
    private let unsynced: OpaquePointer
    private let options: NativeOptions
    /// Held by a database that was opened to be read only; RocksDB itself locks the others.
    private let lock: FolderLock?

    /// Opens the database in the folder `path`, which is created when missing, and recovers what was synced.
    ///
    /// - Throws: `STORAGE_FAILURE` with code `failedPrecondition` when the folder is open already, here or in another process;
    ///   `CORRUPTION` when files are damaged or missing.
    public init(path: String, options: Options = .init()) throws(KithError) {
        self.path = path
        lock = options.isReadOnly ? try FolderLock(path) : nil
        self.options = NativeOptions(options)
        var families = [OpaquePointer?](repeating: nil, count: ColumnFamily.allCases.count)
        handle = try openFamilies(path, self.options, isReadOnly: options.isReadOnly, &families)
        self.families = families.compactMap { $0 }
        readOptions = rocksdb_readoptions_create()
        synced = rocksdb_writeoptions_create()
        rocksdb_writeoptions_set_sync(synced, 1)
        unsynced = rocksdb_writeoptions_create()
    }

    deinit {
        rocksdb_writeoptions_destroy(unsynced)
        rocksdb_writeoptions_destroy(synced)
        rocksdb_readoptions_destroy(readOptions)
        families.forEach(rocksdb_column_family_handle_destroy)
        rocksdb_close(handle)
    }

    func handle(of family: ColumnFamily) -> OpaquePointer { families[family.rawValue] }

    // MARK: Writing

    /// An empty batch, to be used again and again.
    public func makeBatch() -> WriteBatch { WriteBatch(database: self) }

    /// Applies all changes of the batch at once; the batch keeps them until it is cleared.
    ///
    /// - Parameter sync: whether to return only when they, and every batch before, will survive a power failure.
    public func write(_ batch: WriteBatch, sync: Bool) throws(KithError) {
        try checked("cannot write to \(path)") { rocksdb_write(handle, sync ? synced : unsynced, batch.handle, &$0) }
    }

    // MARK: Reading at one moment

    /// The database as it is now, for consistent reads later.
    public func snapshot() -> DatabaseSnapshot { DatabaseSnapshot(database: self) }

    /// The rows with `lower <= key < upper`, standing at the first.
    ///
    /// - Parameter readahead: bytes to read ahead in a long scan, which then leaves the block cache alone; 0 for a short one.
    public func iterator(
        _ family: ColumnFamily, from lower: [UInt8], below upper: [UInt8]? = nil, at snapshot: DatabaseSnapshot? = nil,
        readahead: Int = 0
    ) throws(KithError) -> RowIterator {
        try RowIterator(
            database: self, family: family, from: lower, below: upper, at: snapshot, readahead: readahead)
    }
}

private func openFamilies(
    _ path: String, _ options: NativeOptions, isReadOnly: Bool, _ families: inout [OpaquePointer?]
) throws(KithError) -> OpaquePointer {
    let names = ColumnFamily.allCases.map { strdup($0.name) }
    defer { names.forEach { free($0) } }
    do throws(KithError) {
        let opened = try checked("cannot open the database in \(path)") { report in
            if isReadOnly {
                return rocksdb_open_for_read_only_column_families(
                    options.database, path, Int32(names.count), names.map { UnsafePointer($0) }, options.families.map { $0 },
                    &families, 0, &report)
            }
            return rocksdb_open_column_families(
                options.database, path, Int32(names.count), names.map { UnsafePointer($0) }, options.families.map { $0 },
                &families,
                &report)
        }
        guard let opened else {
            throw KithError(.internal, .storageFailure, "cannot open the database in \(path)")
        }
        return opened
    } catch {
        throw isLocked(error) ? alreadyOpen(path, error) : error
    }
}

/// Whether RocksDB could not lock its folder: this process holds the lock (ENOLCK), or another one does (EAGAIN).
private func isLocked(_ error: KithError) -> Bool {
    guard let status = error.metadata["status"], status.contains("/LOCK: ") else { return false }
    return [ENOLCK, EAGAIN].contains { status.hasSuffix(String(cString: strerror($0))) }
}

func alreadyOpen(_ path: String, _ error: KithError? = nil) -> KithError {
    KithError(
        .failedPrecondition, .storageFailure, "the database in \(path) is open already, in this process or another one",
        metadata: (error?.metadata ?? [:]).merging(["path": path]) { first, _ in first })
}
