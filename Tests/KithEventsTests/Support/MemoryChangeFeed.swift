import Foundation
import KithCore

/// A change log in memory: the rows that a store would hold, encoded as it would encode them.
final class MemoryChangeFeed: PointFeed, @unchecked Sendable {
    let shard: ShardID
    // Guards everything below; broadcast when a cursor is saved.
    private let condition = NSCondition()
    private var rows: [OwnedBytes] = []
    private var trimmed: LogPosition = 0
    private var vectors: [UInt32: OwnedBytes] = [:]
    private var cursors: [String: LogPosition] = [:]
    private var observers: [UInt64: @Sendable () -> Void] = [:]
    private var lastToken: UInt64 = 0
    private var unreadable: LogPosition?
    private var notes: [String: [UInt8]] = [:]

    /// How often commits were asked for.
    let reads = Tries()

    init(shard: ShardID = ShardID(collection: 7, shard: 0)) { self.shard = shard }

    // MARK: Writing

    /// Appends a commit and wakes the observers.
    @discardableResult
    func commit(
        _ changes: [Change], time: Int64 = 1_700_000_000_000_000, requestID: String = "", context: ByteView = .empty,
        schemaVersion: UInt64 = 0, firstVersion: UInt64 = 0, facts: [Fact] = []
    ) -> LogPosition {
        var row: [UInt8] = []
        Commit.encodeHeader(
            time: time, requestID: requestID, context: context, schemaVersion: schemaVersion, firstVersion: firstVersion,
            changeCount: changes.count, into: &row)
        for change in changes {
            var before: [UInt8] = []
            var after: [UInt8] = []
            change.before?.encode(into: &before)
            change.after?.encode(into: &after)
            change.id.encoded.withUnsafeBytes { id in
                before.withUnsafeBytes { before in
                    after.withUnsafeBytes { after in
                        Commit.encodeChange(change.operation, encodedID: id, before: before, after: after, into: &row)
                    }
                }
            }
        }
        Commit.encodeFacts(facts, into: &row)
        let (position, wakes) = condition.withLock {
            rows.append(OwnedBytes(row))
            return (trimmed + LogPosition(rows.count), Array(observers.values))
        }
        wakes.forEach { $0() }
        return position
    }

    func setVector(_ bytes: [UInt8], slot: UInt32) { condition.withLock { vectors[slot] = OwnedBytes(bytes) } }

    /// Drops all commits up to `position`.
    func trim(to position: LogPosition) {
        condition.withLock {
            rows.removeFirst(Int(position - trimmed))
            trimmed = position
        }
    }

    /// From now on the commit at `position` cannot be read; nil mends it.
    func setUnreadable(_ position: LogPosition?) { condition.withLock { unreadable = position } }

    /// Waits until the relay's cursor stands at `position`; false after a minute.
    func waitForCursor(_ position: LogPosition) -> Bool {
        let deadline = Date(timeIntervalSinceNow: 60)
        return condition.withLock {
            while cursors["kafka"] ?? 0 < position {
                guard condition.wait(until: deadline) else { return false }
            }
            return true
        }
    }

    /// The commit at `position`, for tests that encode one; valid as long as the feed.
    func row(at position: LogPosition) throws -> Commit {
        try Commit(position: position, decoding: condition.withLock { rows[Int(position - trimmed) - 1] }.view.bytes)
    }

    // MARK: ChangeFeed

    var lastPosition: LogPosition { condition.withLock { trimmed + LogPosition(rows.count) } }
    var firstPosition: LogPosition { condition.withLock { trimmed + 1 } }

    func forEachCommit(
        after position: LogPosition, _ visit: (_ commit: Commit, _ rowBytes: Int) throws(KithError) -> Bool
    ) throws(KithError) -> LogPosition {
        reads.add()
        let (rows, trimmed, unreadable) = condition.withLock { (self.rows, self.trimmed, self.unreadable) }
        guard position >= trimmed else {
            throw KithError(.outOfRange, .positionTrimmed, "commits up to \(trimmed) are gone")
        }
        var last = position
        while last < trimmed + LogPosition(rows.count) {
            let row = rows[Int(last - trimmed)].view
            last += 1
            if last == unreadable { throw KithError(.dataLoss, .corruption, "commit \(last) cannot be read") }
            guard try visit(Commit(position: last, decoding: row.bytes), row.count) else { break }
        }
        return last
    }

    func vector(space: Int, slot: UInt32) -> ByteView { condition.withLock { vectors[slot]?.view ?? .empty } }

    func observeCommits(_ wake: @escaping @Sendable () -> Void) -> UInt64 {
        condition.withLock {
            lastToken += 1
            observers[lastToken] = wake
            return lastToken
        }
    }

    func stopObserving(_ token: UInt64) { condition.withLock { observers[token] = nil } }

    func cursor(_ name: String) throws(KithError) -> LogPosition? { condition.withLock { cursors[name] } }

    func saveCursor(_ name: String, at position: LogPosition) throws(KithError) {
        condition.withLock {
            cursors[name] = position
            condition.broadcast()
        }
    }

    // MARK: PointFeed

    func readPoints(
        after point: PointID?, upTo position: LogPosition, limit: Int, of definition: CollectionDefinition
    ) throws(KithError) -> PointPage {
        var points: [[UInt8]: (change: Change, position: LogPosition)] = [:]
        let rows = condition.withLock { self.rows }
        for (index, row) in rows.enumerated() {
            let commit = try Commit(position: LogPosition(index) + 1, decoding: row.view.bytes)
            for change in commit.changes {
                let read = Change(operation: .read, id: change.id, before: nil, after: change.after, owner: row)
                points[change.id.encoded] = change.after == nil ? nil : (read, commit.position)
            }
        }
        let after = point?.encoded ?? []
        let behind = points.filter { after.lexicographicallyPrecedes($0.key) }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        var page = PointPage()
        for (_, found) in behind.prefix(limit) {
            page.last = found.change.id
            if found.position <= position { page.changes.append(found.change) }
        }
        return page
    }

    func note(_ name: String) throws(KithError) -> [UInt8]? { condition.withLock { notes[name] } }
    func saveNote(_ name: String, _ bytes: [UInt8]) throws(KithError) { condition.withLock { notes[name] = bytes } }

    func removeCursor(_ name: String) throws(KithError) { condition.withLock { cursors[name] = nil } }
}
