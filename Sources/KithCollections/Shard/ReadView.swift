import KithCore
import KithIndex

/// What a reader sees: everything committed up to one position. A search takes the current one and keeps it.
final class ReadView: Sendable {
    let position: LogPosition
    let points: UInt64
    /// Slots in use, by space.
    let slotCounts: [UInt32]
    let firstPosition: LogPosition
    let logBytes: UInt64

    init(_ state: ShardState) {
        position = state.position
        points = state.points
        slotCounts = state.nextSlots
        firstPosition = state.firstPosition
        logBytes = state.logBytes
    }

    func snapshot(space: Int) -> Snapshot { Snapshot(slotCount: slotCounts[space], position: position) }
}
