import KithCore
import KithIndex
import KithStorage
import KithTelemetry

/// Opens, closes and removes the shards and folders of collections.
struct CollectionOpener: Sendable {
    /// `<data>/collections`; below it a folder a collection id, then a folder a shard, then a folder a vector space.
    let directory: String
    let database: Database
    let registry: IndexRegistry
    let linker: Linker
    let tailAllowance: TailAllowance
    let budget: ChangeLogBudget
    let metrics: Metrics
    /// The node has a memory budget.
    let isMemoryLimited: Bool

    func open(_ definition: CollectionDefinition, holds: LegalHolds = .none) throws(KithError) -> Collection {
        let holder = DefinitionHolder()
        var writers: [ShardWriter] = []
        for number in 0..<definition.shardCount {
            let id = ShardID(collection: definition.id, shard: UInt16(number))
            let recovery = ShardRecovery(
                id: id, directory: "\(directory)/\(definition.id)/\(number)", definition: definition, database: database,
                registry: registry, metrics: metrics, isMemoryLimited: isMemoryLimited || definition.memoryBudgetBytes > 0,
                holds: holds)
            let (shard, state) = try recovery.open()
            writers.append(
                try ShardWriter(
                    shard, state: state, linker: linker, tailAllowance: tailAllowance, budget: budget,
                    definition: { holder.collection?.definition ?? definition }))
        }
        let collection = Collection(definition, writers: writers, metrics: metrics)
        holder.collection = collection
        for writer in writers {
            writer.shard.reportTail()
            linker.wake(writer)
        }
        return collection
    }

    /// Refuses new writes, commits what waits, and writes the checkpoints that save the next start some work. Blocks.
    ///
    /// - Parameter checkpointing: false for a collection that is to be removed.
    func close(_ collection: Collection, checkpointing: Bool = true) {
        for writer in collection.writers {
            writer.close()
            linker.forget(writer)
            writer.stopWaitingForIndexes()
            if checkpointing { linker.writeFinalCheckpoints(writer) }
            budget.add(-Int(writer.shard.current().logBytes))
            writer.shard.reportTail(isClosed: true)
        }
    }

    func remove(_ id: UInt32) throws(KithError) { try Directory.remove("\(directory)/\(id)") }

    /// Removes folders that a crash left behind: of collections half made or half deleted.
    func removeStrays(keeping ids: Set<UInt32>) throws(KithError) {
        for name in try Directory.names(in: directory) where UInt32(name).map(ids.contains) != true {
            try Directory.remove("\(directory)/\(name)")
        }
    }
}

/// Lets a writer see its collection's newest definition; weak, for the collection owns the writer.
private final class DefinitionHolder: @unchecked Sendable {
    // Set once, before any command can come.
    weak var collection: Collection?
}
