import Foundation
public import KithCore
import KithStorage
import KithTelemetry
import Synchronization

/// The node's own log: what happens to the catalogue, who asked for what, and what was decided about data. Its commits hold facts where those of a
/// shard hold changes; else it is read, trimmed and relayed as any other.
public final class NodeLog: ChangeFeed {
    private let database: Database
    private let budget: ChangeLogBudget
    private let cursors: CursorStore
    private let observers = CommitObservers()
    /// Held over the writing of a commit.
    private let state: Mutex<ShardState>
    private let shown: Mutex<(first: LogPosition, last: LogPosition)>

    init(database: Database, budget: ChangeLogBudget) throws(KithError) {
        self.database = database
        self.budget = budget
        cursors = try CursorStore(ShardID.nodeLog, database)
        let stored = try database.withValue(.meta, key: Keys.state(ShardID.nodeLog)) { bytes throws(KithError) in
            try ShardState(decoding: bytes)
        }
        let state = stored ?? ShardState(spaceCount: 0)
        self.state = Mutex(state)
        shown = Mutex((state.firstPosition, state.position))
        budget.add(Int(state.logBytes))
    }

    // MARK: Writing

    /// Writes facts as one commit, together with the rows of `batch`: both or neither, and synced when it returns. Without facts, the batch alone.
    ///
    /// - Parameters:
    ///   - time: in microseconds since 1970.
    ///   - requestID: of the request, where it has one.
    ///   - context: the request, as a serialised `kith.v1.RequestContext`.
    func commit(
        _ facts: [Fact], time: Int64, requestID: String = "", context: OwnedBytes?, with batch: WriteBatch
    ) throws(KithError) {
        guard !facts.isEmpty else { return try database.write(batch, sync: true) }
        let grown = try state.withLock { (state) throws(KithError) -> Int in
            var next = state
            next.position += 1
            var row: [UInt8] = []
            Commit.encodeHeader(
                time: time, requestID: requestID, context: context?.view ?? .empty, changeCount: 0, into: &row)
            Commit.encodeFacts(facts, into: &row)
            let key = Keys.commit(ShardID.nodeLog, next.position)
            next.logBytes += UInt64(key.count + row.count)
            batch.put(.changes, key: key, value: row)
            put(next, into: batch)
            try database.write(batch, sync: true)
            state = next
            show(next)
            return key.count + row.count
        }
        budget.add(grown)
        observers.notify()
    }

    /// Writes facts of no batch as one commit, synced when it returns.
    public func record(_ facts: [Fact]) throws(KithError) {
        try commit(facts, time: Int64(Date().timeIntervalSince1970 * 1e6), context: nil, with: database.makeBatch())
    }

    /// Forgets commits that every reader is done with, as many as one turn allows; where nobody reads, none. Answers the bytes given back.
    func trim() throws(KithError) -> Int {
        guard let reader = cursors.slowest else { return 0 }
        let freed = try state.withLock { (state) throws(KithError) -> Int in
            let end = min(reader, state.position) + 1
            guard end > state.firstPosition else { return 0 }
            var next = state
            var freed = 0
            let rows = try database.iterator(
                .changes, from: Keys.commit(ShardID.nodeLog, next.firstPosition), below: Keys.commit(ShardID.nodeLog, end))
            while rows.isValid, freed < Limits.trimBytes {
                freed += rows.key.count + rows.value.count
                next.firstPosition = Keys.position(ofCommitKey: rows.key) + 1
                try rows.next()
            }
            next.logBytes -= min(UInt64(freed), next.logBytes)
            let batch = database.makeBatch()
            batch.deleteRange(
                .changes, from: Keys.commit(ShardID.nodeLog, state.firstPosition),
                below: Keys.commit(ShardID.nodeLog, next.firstPosition))
            put(next, into: batch)
            // Readers know first: who then misses a commit can tell that it was trimmed.
            show(next)
            do throws(KithError) { try database.write(batch, sync: false) } catch {
                show(state)
                throw error
            }
            state = next
            return freed
        }
        budget.add(-freed)
        return freed
    }

    private func put(_ state: ShardState, into batch: WriteBatch) {
        var row: [UInt8] = []
        state.encode(into: &row)
        batch.put(.meta, key: Keys.state(ShardID.nodeLog), value: row)
    }

    private func show(_ state: ShardState) { shown.withLock { $0 = (state.firstPosition, state.position) } }

    // MARK: ChangeFeed

    public var shard: ShardID { ShardID.nodeLog }
    public var lastPosition: LogPosition { shown.withLock { $0.last } }
    public var firstPosition: LogPosition { shown.withLock { $0.first } }

    public func forEachCommit(
        after position: LogPosition, _ visit: (Commit, Int) throws(KithError) -> Bool
    ) throws(KithError) -> LogPosition {
        try CommitRows(log: ShardID.nodeLog, database: database).forEach(
            after: position, upTo: lastPosition, firstPosition: { firstPosition }, visit)
    }

    /// It has no vectors.
    public func vector(space: Int, slot: UInt32) -> ByteView { .empty }

    public func observeCommits(_ wake: @escaping @Sendable () -> Void) -> UInt64 { observers.add(wake) }
    public func stopObserving(_ token: UInt64) { observers.remove(token) }

    public func cursor(_ name: String) throws(KithError) -> LogPosition? { cursors[name] }
    public func saveCursor(_ name: String, at position: LogPosition) throws(KithError) { try cursors.save(name, at: position) }
    public func removeCursor(_ name: String) throws(KithError) { try cursors.remove(name) }
}
