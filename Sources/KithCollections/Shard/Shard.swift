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
    /// Commits up to here are synced: what readers of changes may see.
    private let durablePosition: Atomic<LogPosition>
    let observers = CommitObservers()
    let waiters = PositionWaiters()
    let cursors: CursorStore

    init(
        id: ShardID, spaces: [SpaceStore], state: ShardState, database: Database, metrics: Metrics
    ) throws(KithError) {
        self.id = id
        self.spaces = spaces
        self.database = database
        self.metrics = metrics
        view = Mutex(ReadView(state))
        durablePosition = Atomic(state.position)
        cursors = try CursorStore(id, database)
    }

    // MARK: Reading

    /// The newest view; a reference, so it stays whole while a reader uses it.
    func current() -> ReadView { view.withLock { $0 } }

    /// The last commit applied.
    public var position: LogPosition { current().position }

    /// Calls `then` once the shard has applied `position`; at once where it has. Answers whether it is still to come.
    func whenApplied(_ position: LogPosition, _ then: @escaping @Sendable () -> Void) {
        if current().position >= position { return then() }
        waiters.add(position, then)
        // The commit may have come between the two lines above.
        waiters.fire(upTo: current().position)
    }

    // MARK: What the writer publishes

    /// Shows a written group to readers: first the slots, then the deaths, then the view that counts them.
    func publish(_ group: borrowing CommitGroup, durable: Bool) throws(KithError) {
        for birth in group.births {
            try spaces[birth.space].rows.set(birth.slot, encodedID: birth.encodedID.bytes, version: birth.version)
        }
        for revision in group.revisions { spaces[revision.space].rows.setVersion(revision.slot, revision.version) }
        for death in group.deaths { spaces[death.space].rows.deaths.kill(death.slot, at: death.position) }
        show(group.state)
        if durable { markDurable(group.state.position) }
    }

    /// Replaces the view by one of `state`.
    func show(_ state: ShardState) {
        let next = ReadView(state)
        view.withLock { $0 = next }
        waiters.fire(upTo: next.position)
    }

    /// Everything up to `position` is synced: lets readers of changes have it.
    func markDurable(_ position: LogPosition) {
        durablePosition.store(position, ordering: .releasing)
        observers.notify()
    }

    // MARK: Vectors waiting to be linked

    /// The longest tail of any space.
    var longestTail: Int {
        let view = current()
        return spaces.enumerated().map { $1.tail(slotCount: view.slotCounts[$0]) }.max() ?? 0
    }
}

extension Shard: ChangeFeed {
    public var shard: ShardID { id }
    public var lastPosition: LogPosition { durablePosition.load(ordering: .acquiring) }
    public var firstPosition: LogPosition { current().firstPosition }

    public func forEachCommit(
        after position: LogPosition, _ visit: (Commit, Int) throws(KithError) -> Bool
    ) throws(KithError) -> LogPosition {
        let last = lastPosition
        guard position + 1 >= firstPosition else {
            throw KithError(
                .outOfRange, .positionTrimmed,
                "commits after \(position) of shard \(id.shard) are no longer kept; the first is \(firstPosition)",
                metadata: ["position": "\(position)", "first_position": "\(firstPosition)", "shard": "\(id.shard)"])
        }
        guard position < last else { return position }
        let rows = try database.iterator(
            .changes, from: Keys.commit(id, position + 1), below: Keys.commit(id, last + 1))
        var visited = position
        while rows.isValid {
            let next = Keys.position(ofCommitKey: rows.key)
            guard next == visited + 1 else {
                throw KithError(.dataLoss, .corruption, "shard \(id) misses the commits \(visited + 1) to \(next - 1)")
            }
            let more = try visit(try Commit(position: next, decoding: rows.value), rows.key.count + rows.value.count)
            visited = next
            if !more { break }
            try rows.next()
        }
        return visited
    }

    public func vector(space: Int, slot: UInt32) -> ByteView { spaces[space].segments.read(slot) }

    public func observeCommits(_ wake: @escaping @Sendable () -> Void) -> UInt64 { observers.add(wake) }
    public func stopObserving(_ token: UInt64) { observers.remove(token) }

    public func cursor(_ name: String) throws(KithError) -> LogPosition? { cursors[name] }
    public func saveCursor(_ name: String, at position: LogPosition) throws(KithError) {
        try cursors.save(name, at: position)
    }
}
