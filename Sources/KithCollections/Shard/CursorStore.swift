import KithCore
import KithStorage
import Synchronization

/// Durable cursors of one shard's readers, cached: the log is trimmed behind the slowest.
final class CursorStore: Sendable {
    private let shard: ShardID
    private let database: Database
    private let cursors: Mutex<[String: LogPosition]>

    init(_ shard: ShardID, _ database: Database) throws(KithError) {
        self.shard = shard
        self.database = database
        let bounds = Keys.cursors(shard)
        var found: [String: LogPosition] = [:]
        let rows = try database.iterator(.meta, from: bounds.from, below: bounds.below)
        while rows.isValid {
            guard rows.value.count == 8 else {
                throw KithError(.dataLoss, .corruption, "a cursor of shard \(shard) has \(rows.value.count) bytes")
            }
            let name = String(decoding: rows.key.dropFirst(bounds.from.count), as: UTF8.self)
            found[name] = rows.value.littleEndian(at: 0)
            try rows.next()
        }
        cursors = Mutex(found)
    }

    subscript(name: String) -> LogPosition? { cursors.withLock { $0[name] } }

    /// The slowest reader; nil where there is none.
    var slowest: LogPosition? { cursors.withLock { $0.values.min() } }

    /// A cursor need not be synced: behind by a crash, its reader does a little again.
    func save(_ name: String, at position: LogPosition) throws(KithError) {
        var value: [UInt8] = []
        value.appendLittleEndian(position)
        let batch = database.makeBatch()
        batch.put(.meta, key: Keys.cursor(shard, name), value: value)
        try database.write(batch, sync: false)
        cursors.withLock { $0[name] = position }
    }

    func remove(_ name: String) throws(KithError) {
        let batch = database.makeBatch()
        batch.delete(.meta, key: Keys.cursor(shard, name))
        try database.write(batch, sync: false)
        cursors.withLock { $0[name] = nil }
    }
}
