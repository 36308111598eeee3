import KithCore
import KithIndex
import KithStorage

/// What a reader sees: everything committed up to one position, in the store and in the indexes alike. A read takes the current one and
/// keeps it, so it never sees half of a change.
final class ReadView: Sendable {
    let position: LogPosition
    let points: UInt64
    /// Slots in use, by space.
    let slotCounts: [UInt32]
    let firstPosition: LogPosition
    let logBytes: UInt64
    /// The shard's rows at `position`. Of other shards it may show more or less.
    let store: DatabaseSnapshot

    init(_ state: ShardState, store: DatabaseSnapshot) {
        position = state.position
        points = state.points
        slotCounts = state.nextSlots
        firstPosition = state.firstPosition
        logBytes = state.logBytes
        self.store = store
    }

    func snapshot(space: Int) -> Snapshot { Snapshot(slotCount: slotCounts[space], position: position) }
}
