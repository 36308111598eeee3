import KithCore
import KithStorage
import Synchronization

/// Those who want to hear of commits.
final class CommitObservers: Sendable {
    private struct State {
        var next: UInt64 = 0
        var wakes: [UInt64: @Sendable () -> Void] = [:]
    }
    private let state = Mutex(State())

    func add(_ wake: @escaping @Sendable () -> Void) -> UInt64 {
        state.withLock {
            $0.next += 1
            $0.wakes[$0.next] = wake
            return $0.next
        }
    }

    func remove(_ token: UInt64) { _ = state.withLock { $0.wakes.removeValue(forKey: token) } }

    func notify() {
        let wakes = state.withLock { Array($0.wakes.values) }
        for wake in wakes { wake() }
    }
}

/// Reads that wait for a position.
final class PositionWaiters: Sendable {
    private let waiting = Mutex<[(position: LogPosition, then: @Sendable () -> Void)]>([])

    func add(_ position: LogPosition, _ then: @escaping @Sendable () -> Void) {
        waiting.withLock { $0.append((position, then)) }
    }

    func fire(upTo position: LogPosition) {
        let due = waiting.withLock { waiting -> [@Sendable () -> Void] in
            guard !waiting.isEmpty else { return [] }
            let due = waiting.filter { $0.position <= position }.map(\.then)
            waiting.removeAll { $0.position <= position }
            return due
        }
        for then in due { then() }
    }
}

/// Durable cursors of one shard's readers, cached: the log is trimmed behind the slowest.
final class CursorStore: Sendable {
    private let shard: ShardID
    private let database: Database
    private let cursors: Mutex<[String: LogPosition]>

    init(_ shard: ShardID, _ database: Database) throws(KithError) {
        self.shard = shard
        self.database = database
        let prefix = Keys.cursor(shard, "")
        var found: [String: LogPosition] = [:]
        let rows = try database.iterator(.meta, from: prefix, below: Keys.shard(shard) + [UInt8(ascii: "d")])
        while rows.isValid {
            guard rows.value.count == 8 else {
                throw KithError(.dataLoss, .corruption, "a cursor of shard \(shard) has \(rows.value.count) bytes")
            }
            found[String(decoding: rows.key.dropFirst(prefix.count), as: UTF8.self)] = rows.value.littleEndian(at: 0)
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
}
