@preconcurrency import Dispatch
import KithCore
import KithTelemetry
import Synchronization

/// What every shard needs done now and then, in turn with its groups: forgetting what nobody needs any more.
///
/// Old commits go once the change log is half full: behind the slowest reader, and behind every checkpoint.
final class Upkeep: Sendable {
    private let timer: any DispatchSourceTimer
    private let queue: DispatchQueue
    private let catalogue: Catalogue
    private let log: NodeLog
    private let budget: ChangeLogBudget
    private let metrics: Metrics

    init(
        catalogue: Catalogue, log: NodeLog, budget: ChangeLogBudget, metrics: Metrics, interval: DispatchTimeInterval
    ) {
        self.catalogue = catalogue
        self.log = log
        self.budget = budget
        self.metrics = metrics
        queue = DispatchQueue(label: "kith.upkeep", qos: .utility)
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + interval, repeating: interval)
        timer.setEventHandler { [weak self] in self?.visitAll() }
        timer.activate()
    }

    /// Returns when nothing is under way any more.
    func stop() {
        timer.cancel()
        queue.sync {}
    }

    private func visitAll() {
        let collections = catalogue.all
        for collection in collections {
            for writer in collection.writers { visit(writer) }
        }
        metrics.tell(collections)
        guard budget.wantsTrimming else { return }
        do throws(KithError) { _ = try log.trim() } catch {
            shardLog.error("the node's log could not be trimmed", ["error": "\(error)"])
        }
    }

    private func visit(_ writer: ShardWriter) {
        writer.maintainIndexes()
        writer.betweenGroups { [budget] committer in
            committer.refreshView()
            do throws(KithError) {
                try committer.forgetRequests()
                guard budget.wantsTrimming else { return }
                let freed = try committer.trim(below: Upkeep.firstKept(of: writer.shard, budget))
                budget.add(-freed)
                // A turn is short, so that writes go on; there may be more.
                if freed > 0 { self.visit(writer) }
            } catch {
                shardLog.error("upkeep failed", ["shard": "\(writer.shard.id)", "error": "\(error)"])
            }
        }
    }

    /// The first commit that must stay. Checkpoints always count: recovery replays from them.
    private static func firstKept(of shard: Shard, _ budget: ChangeLogBudget) -> LogPosition {
        let checkpoints = shard.spaces.map { $0.checkpointPosition.load(ordering: .relaxed) }.filter { $0 > 0 }
        let recovery = checkpoints.min() ?? shard.lastPosition
        if budget.policy == .trim { return recovery + 1 }
        // Without any reader the log waits for the first one.
        guard let reader = shard.cursors.slowest else { return shard.firstPosition }
        return min(recovery, reader) + 1
    }
}

extension Metrics {
    /// How far rebuilds have got.
    fileprivate func tell(_ collections: [Collection]) {
        let rebuilds = collections.flatMap(\.maintenance).filter { $0.reason != nil }
        indexRebuildsRunning.set(rebuilds.count)
        indexRebuildRowsLeft.set(rebuilds.reduce(0) { $0 + $1.rowsTotal - $1.rowsDone })
        maintenancePaused.set(collections.count(where: \.definition.isMaintenancePaused))
    }
}
