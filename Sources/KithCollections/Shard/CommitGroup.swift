import KithCore
import KithStorage

/// The commits that go to disk together: one batch, and what must be shown to readers once it is written.
///
/// Reused by the writer from group to group: after warm-up its buffers have room.
struct CommitGroup {
    /// A point that the group's commands name.
    struct NamedPoint {
        /// Its key in the store; the encoded id is all of it but the shard.
        var key: ByteView
        /// Its row as the group has it so far; nil: there is no such point.
        var row: ByteView?

        var encodedID: ByteView { ByteView(UnsafeRawBufferPointer(rebasing: key.bytes.dropFirst(Keys.shardBytes))) }
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

    let shard: ShardID
    /// Slots that each space can have.
    let slotLimits: [UInt32]
    let batch: WriteBatch
    /// The state as it will be.
    var state: ShardState
    /// Keys and rows of this group.
    let arena: CommitArena
    /// The points that the commands name, each once.
    var points: [NamedPoint] = []
    /// For each operation of the group, in order, the place of its point in `points`.
    var places: [Int] = []
    /// Operations applied so far.
    var applied = 0
    /// First answers of request ids of this group.
    var requests: [[UInt8]: CommitReply] = [:]
    /// The last item committed of the streams that this group advances. Ids are bytes: text that only looks alike is another.
    var streams: [[UInt8]: UInt64] = [:]
    /// Vectors to write, by space, for the slots from `firstSlots` on.
    var vectors: [[ByteView]]
    var firstSlots: [UInt32]
    var births: [Birth] = []
    var deaths: [Death] = []
    var revisions: [Revision] = []
    /// The changes of the commit being applied, as its log row has them.
    var logRow: [UInt8] = []
    var changeCount = 0
    /// Of the command being applied.
    var redaction: PayloadRedaction?
    /// What was before does not enter its log row.
    var isErasing = false
    /// Those that stand for it.
    var holds = LegalHolds.none
    private var placesByID: [PointID: Int] = [:]

    init(shard: ShardID, slotLimits: [UInt32], batch: WriteBatch, state: ShardState) throws(KithError) {
        arena = try CommitArena()
        self.shard = shard
        self.slotLimits = slotLimits
        self.batch = batch
        self.state = state
        vectors = Array(repeating: [], count: state.nextSlots.count)
        firstSlots = state.nextSlots
    }

    /// Forgets the group before, keeping the room, and names the points of the next one's commands; their rows are to be loaded.
    mutating func begin(_ commands: [Command], from state: ShardState, _ holds: LegalHolds) {
        batch.clear()
        self.state = state
        self.holds = holds
        arena.clear()
        applied = 0
        requests.removeAll(keepingCapacity: true)
        streams.removeAll(keepingCapacity: true)
        for space in vectors.indices { vectors[space].removeAll(keepingCapacity: true) }
        firstSlots = state.nextSlots
        births.removeAll(keepingCapacity: true)
        deaths.removeAll(keepingCapacity: true)
        revisions.removeAll(keepingCapacity: true)
        name(commands)
    }

    private mutating func name(_ commands: [Command]) {
        points.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        placesByID.removeAll(keepingCapacity: true)
        let prefix = Keys.shard(shard)
        for command in commands {
            for operation in command.operations {
                let place = placesByID[operation.id, default: points.count]
                places.append(place)
                guard place == points.count else { continue }
                placesByID[operation.id] = place
                let key = arena.append {
                    $0.append(contentsOf: prefix)
                    operation.id.encode(into: &$0)
                }
                points.append(NamedPoint(key: key))
            }
        }
    }
}
