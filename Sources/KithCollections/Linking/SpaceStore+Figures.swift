import CMemory
import KithCore
import KithIndex

extension SpaceStore {
    /// Slots looked at to estimate what is living and what was removed.
    private static let sampledSlots = 4_096

    /// What the policy is to decide by; nil for an index that links nothing, which nothing wears out.
    func figures(slotCount: UInt32) -> MaintenanceFigures? {
        let live = maintained.live
        guard live.index.linkableSlots > 0, slotCount > 0 else { return nil }
        var (living, removed) = (0, 0)
        let step = max(Int(slotCount) / SpaceStore.sampledSlots, 1)
        let samples = Int(slotCount) / step
        for sample in 0..<samples {
            // Not always the same place of a step: what is removed may have a pattern.
            let slot = sample * step + (sample &* 2_654_435_761) % step
            let death = kith_load_acquire_u64(rows.deaths.base + slot)
            if death == 0 { living += 1 } else if death > live.made.position { removed += 1 }
        }
        return MaintenanceFigures(
            vectors: living * step, addedSinceMade: Int(slotCount) - Int(min(live.made.slotCount, slotCount)),
            removedSinceMade: removed * step, learnedFrom: (live.index as? any LearnedIndex)?.learnedFrom.map(Int.init),
            missingRecall: recallMeter.missingRecall)
    }
}

extension Collection {
    /// What is known of a space's index, by shard; nil where it links nothing.
    package func maintenanceFigures(space: Int) -> [MaintenanceFigures?] {
        shards.map { $0.spaces[space].figures(slotCount: $0.current().slotCounts[space]) }
    }
}

extension ShardWriter {
    /// Asks for the rebuilds that are worth it, and wakes the linker where one waits.
    func maintainIndexes() {
        if !isMaintenancePaused {
            for (space, slotCount) in zip(shard.spaces, shard.current().slotCounts) where !space.maintained.isRebuilding {
                guard let reason = space.figures(slotCount: slotCount).flatMap(MaintenancePolicy.decide) else { continue }
                space.maintained.askForRebuild(reason)
            }
        }
        if shard.spaces.contains(where: \.maintained.isRebuilding) { wakeLinker() }
    }
}
