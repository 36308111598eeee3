import Foundation
public import KithCore
import KithIndex
import KithStorage
import KithTelemetry
import Synchronization

let shardLog = Log("shard")

/// One shard of a collection: its log, its points, its vector spaces. One writer; readers never wait for it.
public final class Shard: Sendable {
    public let id: ShardID
    let database: Database
    let spaces: [SpaceStore]
    let metrics: Metrics
    private let view: Mutex<ReadView>
    /// What the metric has of this shard.
    private let reportedTail = Mutex(0)
    private let standing: Mutex<LegalHolds>
    /// Commits up to here are synced: what readers of changes may see.
    private let durablePosition: Atomic<LogPosition>
    let observers = CommitObservers()
    let waiters = PositionWaiters()
    let cursors: CursorStore

    init(
        id: ShardID, spaces: [SpaceStore], state: ShardState, holds: LegalHolds, database: Database, metrics: Metrics
    ) throws(KithError) {
        self.id = id
        self.spaces = spaces
        self.database = database
        self.metrics = metrics
        view = Mutex(ReadView(state, store: database.snapshot()))
        standing = Mutex(holds)
        durablePosition = Atomic(state.position)
        cursors = try CursorStore(id, database)
    }

    // MARK: Reading

    /// The newest view; a reference, so it stays whole while a reader uses it.
    func current() -> ReadView { view.withLock { $0 } }

    /// The legal holds that stand since the last group.
    var holds: LegalHolds { standing.withLock { $0 } }

    /// The last commit applied.
    public var position: LogPosition { current().position }

    /// Calls `then` once the shard has applied `position`; at once where it has. Answers a token to give up by, where it waits.
    func whenApplied(_ position: LogPosition, _ then: @escaping @Sendable () -> Void) throws(KithError) -> UInt64? {
        if current().position >= position {
            then()
            return nil
        }
        guard let token = waiters.add(position, then) else {
            throw KithError(
                .resourceExhausted, .searchQueueFull, "\(Limits.positionWaiters) reads wait for positions of shard \(id)",
                metadata: ["limit": "\(Limits.positionWaiters)"], retryAfterMilliseconds: 100)
        }
        // The commit may have come between the two lines above.
        waiters.fire(upTo: current().position)
        return token
    }

    // MARK: What the writer publishes

    /// Makes sure that `publish` has room for the long ids of a group.
    func reserveNames(for group: borrowing CommitGroup) throws(KithError) {
        var needed = [Int](repeating: 0, count: spaces.count)
        for birth in group.births { needed[birth.space] += RowTable.nameBytes(of: birth.encodedID.bytes) }
        for (space, bytes) in zip(spaces, needed) { try space.rows.reserveNames(bytes) }
    }

    /// Shows a written group to readers: first the slots, then the deaths, then the view that counts them.
    func publish(_ group: borrowing CommitGroup, durable: Bool) {
        for birth in group.births {
            spaces[birth.space].rows.set(birth.slot, encodedID: birth.encodedID.bytes, version: birth.version)
        }
        for revision in group.revisions { spaces[revision.space].rows.setVersion(revision.slot, revision.version) }
        for death in group.deaths { spaces[death.space].rows.deaths.kill(death.slot, at: death.position) }
        let holds = group.holds
        standing.withLock { $0 = holds }
        show(group.state)
        reportTail()
        if durable { markDurable(group.state.position) }
    }

    /// Replaces the view by one of `state`.
    func show(_ state: ShardState) {
        let next = ReadView(state, store: database.snapshot())
        view.withLock { $0 = next }
        waiters.fire(upTo: next.position)
    }

    /// Everything up to `position` is synced: lets readers of changes have it.
    func markDurable(_ position: LogPosition) {
        durablePosition.store(position, ordering: .releasing)
        observers.notify()
    }

    // MARK: Vectors waiting to be linked

    /// The tails of all spaces.
    var tail: Int {
        let view = current()
        return spaces.enumerated().reduce(0) { $0 + $1.element.tail(slotCount: view.slotCounts[$1.offset]) }
    }

    /// Brings the metric up to date. What is told is always a difference, so that no change of an index is missed.
    func reportTail(isClosed: Bool = false) {
        reportedTail.withLock { reported in
            let now = isClosed ? 0 : tail
            metrics.tailVectors.add(now - reported)
            reported = now
        }
    }

    /// The longest tail of any space.
    var longestTail: Int {
        let view = current()
        return spaces.enumerated().map { $1.tail(slotCount: view.slotCounts[$0]) }.max() ?? 0
    }

    /// Vectors that may still come before searches of any space spend more on its tail than they should.
    func affordableRoom(_ allowance: TailAllowance) -> Int {
        let view = current()
        return spaces.enumerated().map { $1.affordableRoom(slotCount: view.slotCounts[$0], allowance) }.min() ?? .max
    }

    /// Whether anybody searches.
    var isSearched: Bool { spaces.contains { $0.searchRate.perSecond() > 0 } }

    /// Bytes of the longest tail, in vectors.
    var longestTailBytes: Int {
        let view = current()
        return spaces.enumerated().map { $1.tail(slotCount: view.slotCounts[$0]) * $1.space.stride }.max() ?? 0
    }
}

extension Shard: ChangeFeed {
    public var shard: ShardID { id }
    public var lastPosition: LogPosition { durablePosition.load(ordering: .acquiring) }
    public var firstPosition: LogPosition { current().firstPosition }

    public func forEachCommit(
        after position: LogPosition, _ visit: (Commit, Int) throws(KithError) -> Bool
    ) throws(KithError) -> LogPosition {
        try CommitRows(log: id, database: database).forEach(
            after: position, upTo: lastPosition, firstPosition: { firstPosition }, visit)
    }

    public func vector(space: Int, slot: UInt32) -> ByteView { spaces[space].segments.read(slot) }

    public func observeCommits(_ wake: @escaping @Sendable () -> Void) -> UInt64 { observers.add(wake) }
    public func stopObserving(_ token: UInt64) { observers.remove(token) }

    public func cursor(_ name: String) throws(KithError) -> LogPosition? { cursors[name] }
    public func saveCursor(_ name: String, at position: LogPosition) throws(KithError) {
        try cursors.save(name, at: position)
    }
    public func removeCursor(_ name: String) throws(KithError) { try cursors.remove(name) }
}
