import Dispatch
import Foundation
public import KithCore
public import KithIndex
public import KithStorage
public import KithTelemetry
import Synchronization

/// The embedded database: everything below the API, in one folder.
public final class Node: Sendable {
    /// What can be set.
    public struct Configuration: Sendable {
        /// The folder; made when missing.
        public var dataDirectory: String
        /// Threads that link vectors into indexes.
        public var linkThreads = max(1, ProcessInfo.processInfo.activeProcessorCount - 1)
        /// Share of all cores that linking, rebuilding and calibration may take, as in `Limits.maintenanceCPUShare`.
        public var maintenanceCPUShare = 1.0
        /// Of one core, what searches of a space may spend on vectors that wait to be linked before its writers are slowed, as in
        /// `Limits.tailSearchShare`.
        public var tailSearchShare = Limits.standardTailSearchShare
        /// Bytes of change log to keep, at most.
        public var changeLogBytes = 16 << 30
        public var changeLogFull = FullLogPolicy.pushBack
        public var blockCacheBytes = 256 << 20
        /// Time between two rounds of upkeep: trimming the change log and forgetting old request ids.
        public var upkeepMilliseconds = 5_000
        /// Time between two looks at which collections retention is to sweep.
        public var retentionMilliseconds = Limits.retentionMilliseconds
        /// Bytes that the process may keep in memory; 0: any number.
        public var memoryBudgetBytes = 0
        /// Time between two looks at what is in memory.
        public var memoryRoundMilliseconds = Limits.memoryRoundMilliseconds
        public var registry = IndexRegistry.builtIn

        public init(dataDirectory: String) { self.dataDirectory = dataDirectory }
    }

    public let catalogue: Catalogue
    public let metrics: Metrics
    public let budget: ChangeLogBudget
    /// What happens to the catalogue, and who asked for what.
    public let log: NodeLog
    /// What was decided about data.
    public let governance: Governance
    private let linker: Linker
    /// For what is kept beside the collections, such as webhooks.
    public let database: Database
    private let upkeep: Upkeep
    private let governor: MemoryGovernor
    private let recallWatch: RecallWatch
    private let eraser: Eraser
    /// Deletes points whose time is over.
    package let retention: RetentionSweeper
    private let isClosed = Atomic(false)

    /// Opens the folder, recovering what a crash left.
    ///
    /// - Parameters:
    ///   - observer: told of every collection, those already there first.
    ///   - describer: makes the facts that the log has of the catalogue's changes and of decisions; without it there are none.
    /// - Complexity: O(commits since the last checkpoints).
    public init(
        _ configuration: Configuration, metrics: Metrics = Metrics(), observer: any CatalogueObserver = NoObserver(),
        describer: (any CatalogueDescriber & GovernanceDescriber)? = nil
    ) throws(KithError) {
        self.metrics = metrics
        let collections = "\(configuration.dataDirectory)/collections"
        try Directory.create(collections)
        var options = Database.Options()
        options.blockCacheBytes = configuration.blockCacheBytes
        if configuration.memoryBudgetBytes > 0 { options.fit(memoryBudget: configuration.memoryBudgetBytes) }
        database = try Database(path: "\(configuration.dataDirectory)/store", options: options)
        budget = ChangeLogBudget(
            limit: configuration.changeLogBytes, policy: configuration.changeLogFull, metrics: metrics)
        log = try NodeLog(database: database, budget: budget)
        governance = try Governance(GovernanceStore(database: database, log: log, describer: describer))
        linker = Linker(
            threads: configuration.linkThreads, cpuShare: configuration.maintenanceCPUShare, metrics: metrics,
            checkpoints: CheckpointPolicy())
        let opener = CollectionOpener(
            directory: collections, database: database, registry: configuration.registry, linker: linker,
            tailAllowance: TailAllowance(share: configuration.tailSearchShare), budget: budget, metrics: metrics,
            isMemoryLimited: configuration.memoryBudgetBytes > 0)
        do throws(KithError) {
            catalogue = try Catalogue(
                store: CatalogueStore(database: database, log: log, describer: describer), registry: configuration.registry,
                opener: opener, observer: observer, governance: governance)
        } catch {
            linker.stop()
            throw error
        }
        upkeep = Upkeep(
            catalogue: catalogue, log: log, budget: budget, metrics: metrics,
            interval: .milliseconds(configuration.upkeepMilliseconds))
        eraser = Eraser(governance: governance, catalogue: catalogue, budget: budget, metrics: metrics)
        retention = RetentionSweeper(
            governance: governance, catalogue: catalogue, database: database, metrics: metrics,
            interval: .milliseconds(configuration.retentionMilliseconds))
        governor = MemoryGovernor(
            catalogue: catalogue, metrics: metrics, nodeBudget: configuration.memoryBudgetBytes,
            interval: .milliseconds(configuration.memoryRoundMilliseconds))
        recallWatch = RecallWatch(catalogue: catalogue, metrics: metrics)
    }

    deinit { close() }

    /// Stops taking writes, commits and syncs what waits, and writes checkpoints. Blocks. The folder is free again when the node and all
    /// its collections are gone.
    public func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        eraser.stop()
        retention.stop()
        upkeep.stop()
        governor.stop()
        recallWatch.stop()
        catalogue.closeAll()
        linker.stop()
    }
}

/// Nobody listens.
public struct NoObserver: CatalogueObserver {
    public init() {}
    public func opened(_ collection: Collection) {}
    public func altered(_ collection: Collection) {}
    public func closing(_ collection: Collection) {}
}
