@preconcurrency import Dispatch
import KithCore
import KithTelemetry
import Synchronization

/// Forgets old commits once the change log is half full: behind the slowest reader, and behind every checkpoint.
final class ChangeLogTrimmer: Sendable {
    private static let interval = DispatchTimeInterval.seconds(5)

    private let timer: any DispatchSourceTimer
    private let catalogue: Catalogue
    private let budget: ChangeLogBudget

    init(catalogue: Catalogue, budget: ChangeLogBudget) {
        self.catalogue = catalogue
        self.budget = budget
        timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "kith.trimmer", qos: .utility))
        timer.schedule(deadline: .now() + ChangeLogTrimmer.interval, repeating: ChangeLogTrimmer.interval)
        timer.setEventHandler { [weak self] in self?.trim() }
        timer.activate()
    }

    func stop() { timer.cancel() }

    private func trim() {
        guard budget.wantsTrimming else { return }
        for collection in catalogue.all {
            for writer in collection.writers {
                writer.betweenGroups { [budget] committer in
                    do throws(KithError) {
                        budget.add(-(try committer.trim(below: ChangeLogTrimmer.first(of: writer.shard, budget))))
                    } catch {
                        shardLog.error(
                            "the change log could not be trimmed", ["shard": "\(writer.shard.id)", "error": "\(error)"])
                    }
                }
            }
        }
    }

    /// The first commit that must stay. Checkpoints always count: recovery replays from them.
    private static func first(of shard: Shard, _ budget: ChangeLogBudget) -> LogPosition {
        let checkpoints = shard.spaces.map { $0.checkpointPosition.load(ordering: .relaxed) }.filter { $0 > 0 }
        let recovery = checkpoints.min() ?? shard.lastPosition
        if budget.policy == .trim { return recovery + 1 }
        // Without any reader the log waits for the first one.
        guard let reader = shard.cursors.slowest else { return shard.firstPosition }
        return min(recovery, reader) + 1
    }
}
