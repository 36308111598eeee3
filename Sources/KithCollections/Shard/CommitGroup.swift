import KithCore
import KithStorage

/// The commits that go to disk together: one batch, and what must be shown to readers once it is written.
///
/// Reused by the writer from group to group: after warm-up its buffers have room.
struct CommitGroup {
    /// A point as the group sees it: its row, or no such point.
    struct PendingRow {
        var row: ByteView?
    }

    struct Birth {
        var space: Int
        var slot: UInt32
        var encodedID: ByteView
        var version: UInt64
    }

    struct Death {
        var space: Int
        var slot: UInt32
        var position: LogPosition
    }

    struct Revision {
        var space: Int
        var slot: UInt32
        var version: UInt64
    }

    let batch: WriteBatch
    /// The state as it will be.
    var state: ShardState
    /// Encoded ids and rows of this group.
    let arena: CommitArena
    var points: [PointID: PendingRow] = [:]
    /// First answers of request ids of this group.
    var requests: [String: CommitReply] = [:]
    /// Vectors to write, by space, for the slots from `firstSlots` on.
    var vectors: [[ByteView]]
    var firstSlots: [UInt32]
    var births: [Birth] = []
    var deaths: [Death] = []
    var revisions: [Revision] = []
    var logRow: [UInt8] = []
    var changeCount = 0

    init(batch: WriteBatch, state: ShardState) throws(KithError) {
        arena = try CommitArena()
        self.batch = batch
        self.state = state
        vectors = Array(repeating: [], count: state.nextSlots.count)
        firstSlots = state.nextSlots
    }

    /// Forgets the group before, keeping the room.
    mutating func begin(from state: ShardState) {
        batch.clear()
        self.state = state
        arena.clear()
        points.removeAll(keepingCapacity: true)
        requests.removeAll(keepingCapacity: true)
        for space in vectors.indices { vectors[space].removeAll(keepingCapacity: true) }
        firstSlots = state.nextSlots
        births.removeAll(keepingCapacity: true)
        deaths.removeAll(keepingCapacity: true)
        revisions.removeAll(keepingCapacity: true)
    }
}
