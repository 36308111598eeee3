import KithCore

extension Collection {
    /// What goes on with the indexes of each shard's spaces.
    var maintenance: [IndexMaintenance] {
        let isPaused = definition.isMaintenancePaused
        return shards.flatMap { shard in
            let view = shard.current()
            return zip(shard.spaces, view.slotCounts).map { $0.maintained.maintenance(slotCount: $1, isPaused: isPaused) }
        }
    }

    /// What goes on with the index of one space, over all shards.
    public func maintenance(space: Int) -> IndexMaintenance {
        let isPaused = definition.isMaintenancePaused
        var sum: IndexMaintenance?
        for shard in shards {
            let slotCount = shard.current().slotCounts[space]
            let one = shard.spaces[space].maintained.maintenance(slotCount: slotCount, isPaused: isPaused)
            sum?.add(one)
            sum = sum ?? one
        }
        // There is at least one shard.
        return sum ?? IndexMaintenance(serving: definition.spaces[space].index)
    }

    /// Makes the index of a space anew in the background, in every shard; where that is under way already, it goes on.
    public func rebuildIndex(space: Int) {
        for writer in writers {
            writer.shard.spaces[space].maintained.askForRebuild(.requested)
            writer.wakeLinker()
        }
    }
}
