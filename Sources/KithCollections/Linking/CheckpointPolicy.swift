import KithCore
import KithIndex
import Synchronization

/// When an index is worth writing to disk again: once it has grown by a good part, so that the writing stays a small share of the linking.
struct CheckpointPolicy: Sendable {
    /// Slots below which replaying the log is as fast as reading a checkpoint.
    var smallestSlots: UInt32 = 20_000
    /// Growth since the last checkpoint, in percent.
    var growthPercent = 25
    /// Commits since the last checkpoint after which one is due, however little has grown.
    var commits: UInt64 = 200_000

    func isDue(_ space: SpaceStore, snapshot: Snapshot) -> Bool {
        let covered = space.checkpointSettledSlots.load(ordering: .relaxed)
        let settled = space.settledSlots(snapshot.slotCount)
        // Behind a long tail a checkpoint would be stale at once.
        guard snapshot.slotCount >= smallestSlots, settled >= snapshot.slotCount / 2 else { return false }
        if snapshot.position - space.checkpointPosition.load(ordering: .relaxed) > commits { return true }
        return settled * 100 >= covered * (100 + growthPercent)
    }

    /// At a clean stop any progress is worth keeping.
    func isDueAtClose(_ space: SpaceStore, snapshot: Snapshot) -> Bool {
        guard snapshot.slotCount > 0 else { return false }
        return snapshot.position > space.checkpointPosition.load(ordering: .relaxed)
            || space.settledSlots(snapshot.slotCount) > space.checkpointSettledSlots.load(ordering: .relaxed)
    }
}
