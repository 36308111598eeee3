import CRocksDB

/// The whole database as it was at one moment. Held rows are kept from compaction until this object goes.
public final class DatabaseSnapshot: @unchecked Sendable {
    let readOptions: OpaquePointer
    let handle: OpaquePointer
    private let database: Database

    init(database: Database) {
        self.database = database
        handle = rocksdb_create_snapshot(database.handle)
        readOptions = rocksdb_readoptions_create()
        rocksdb_readoptions_set_snapshot(readOptions, handle)
    }

    deinit {
        rocksdb_readoptions_destroy(readOptions)
        rocksdb_release_snapshot(database.handle, handle)
    }
}
