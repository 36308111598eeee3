@preconcurrency import Dispatch
import KithCore
import KithStorage
import KithTelemetry
import Synchronization

private let eraserLog = Log("erasure")

/// Carries erasures out, one after another, beside everything else. Each step can be done again: a crash costs the step it fell into.
///
/// Points are deleted first. Once every reader of changes has seen that, what the change log has of them is taken out, their vectors are
/// overwritten, and the store's files are rewritten; then the erasure is proved.
final class Eraser: Sendable {
    private let governance: Governance
    private let catalogue: Catalogue
    private let budget: ChangeLogBudget
    private let metrics: Metrics
    private let queue = DispatchQueue(label: "kith.eraser", qos: .utility)
    private let timer: any DispatchSourceTimer
    private let isStopping = Atomic(false)

    init(governance: Governance, catalogue: Catalogue, budget: ChangeLogBudget, metrics: Metrics) {
        self.governance = governance
        self.catalogue = catalogue
        self.budget = budget
        self.metrics = metrics
        timer = DispatchSource.makeTimerSource(queue: queue)
        let interval = DispatchTimeInterval.milliseconds(Limits.erasureMilliseconds)
        timer.schedule(deadline: .now() + interval, repeating: interval)
        timer.setEventHandler { [weak self] in self?.visitAll() }
        timer.activate()
    }

    /// Returns when nothing is under way any more.
    func stop() {
        isStopping.store(true, ordering: .relaxed)
        timer.cancel()
        queue.sync {}
    }

    private var shouldStop: Bool { isStopping.load(ordering: .relaxed) }

    private func visitAll() {
        let underWay = governance.erasures().filter { $0.stage != .proved }
        for erasure in underWay where !shouldStop { proceed(erasure) }
        let left = governance.erasures().filter { $0.stage != .proved }
        metrics.erasuresUnderWay.set(left.count)
        metrics.erasuresBlocked.set(left.count { !$0.problem.isEmpty })
    }

    /// As far as it goes now.
    private func proceed(_ erasure: Erasure) {
        var erasure = erasure
        do throws(KithError) {
            while erasure.stage != .proved, !shouldStop, try step(&erasure) {}
        } catch {
            if shouldStop || error.description == erasure.problem { return }
            eraserLog.error("an erasure does not go on", ["erasure": erasure.name, "error": error.description])
            erasure.problem = error.description
            do throws(KithError) { try governance.note(erasure) } catch {
                eraserLog.error("an erasure's state could not be kept", ["erasure": erasure.name, "error": error.description])
            }
        }
    }

    /// Answers whether there is more to do at once.
    private func step(_ erasure: inout Erasure) throws(KithError) -> Bool {
        let collection = catalogue.all.first { $0.definition.id == erasure.collectionID }
        let rows = try governance.erasedPoints(of: erasure).rows()
        switch erasure.stage {
        case .deleting:
            guard let collection else {
                // Deleted meanwhile, with all that it had.
                return try forget(rows, of: &erasure)
            }
            return try delete(rows, of: &erasure, collection)
        case .waitingForReaders:
            if let collection, !hasBeenRead(erasure, collection) { return false }
            erasure.stage = .scrubbing
            try governance.note(erasure)
            return true
        case .scrubbing:
            if let collection { try scrub(Set(rows.joined()), of: &erasure, collection) }
            return shouldStop ? false : try forget(rows, of: &erasure)
        case .compacting:
            try compact(collection)
            erasure.stage = .proved
            erasure.provedAt = Governance.now()
            try governance.note(erasure)
            eraserLog.info("erasure proved", ["erasure": erasure.name, "points": "\(erasure.deleted)"])
            return false
        case .proved: return false
        }
    }

    // MARK: Steps

    /// Deletes the points; those of the subject that came meanwhile, too.
    private func delete(
        _ rows: [[PointID]], of erasure: inout Erasure, _ collection: Collection
    ) throws(KithError) -> Bool {
        let context = try governance.store.describer?.systemContext("erasure")
        var deleted: UInt64 = 0
        for (row, ids) in rows.enumerated() {
            if shouldStop { return false }
            // Under one name for ever: after a crash the first answer counts.
            let result = try collection.delete(
                ids.map { ($0, nil) }, requestID: "erasure/\(erasure.name)/\(row)", purpose: .erasure, context: context)
            let count = result.outcomes.count { $0.result == .deleted }
            deleted += UInt64(count)
            if !result.replayed { metrics.erasedPoints.add(count) }
        }
        if case .field = erasure.held {
            let more = try Governance.points(of: erasure, in: collection)
            if !more.isEmpty {
                let added = Array(more.prefix(ErasedPoints.rowPoints))
                erasure.requested += UInt64(added.count)
                try governance.note(erasure, adding: (added, rows.count))
                return true
            }
        }
        erasure.deleted = deleted
        erasure.positions = collection.positions
        erasure.stage = .waitingForReaders
        erasure.problem = ""
        try governance.note(erasure)
        return true
    }

    /// Whether every reader of changes has seen the deletions.
    private func hasBeenRead(_ erasure: Erasure, _ collection: Collection) -> Bool {
        zip(collection.shards, erasure.positions).allSatisfy { shard, end in
            shard.lastPosition >= end.position && shard.cursors.slowest.map { $0 >= end.position } ?? true
        }
    }

    /// Removes what the shards keep of the points.
    private func scrub(_ ids: Set<PointID>, of erasure: inout Erasure, _ collection: Collection) throws(KithError) {
        erasure.redactedCommits = 0
        erasure.overwrittenVectors = 0
        for (writer, end) in zip(collection.writers, erasure.positions) {
            var position = writer.shard.firstPosition
            var vectors: Set<PointImage.VectorReference> = []
            while position <= end.position {
                if shouldStop { return }
                let done = try writer.inTurn { (committer) throws(KithError) in
                    try committer.scrubLog(of: ids, from: position, through: end.position)
                }
                position = done.next
                vectors.formUnion(done.vectors)
                erasure.redactedCommits += UInt64(done.commits)
                budget.add(done.grown)
            }
            let found = vectors
            erasure.overwrittenVectors += UInt64(
                try writer.inTurn { (committer) throws(KithError) in
                    try committer.overwrite(found, of: ids, diedBy: end.position)
                })
        }
    }

    /// What named the points goes too.
    private func forget(_ rows: [[PointID]], of erasure: inout Erasure) throws(KithError) -> Bool {
        erasure.digest = PointsDigest.of(Set(rows.joined()))
        erasure.held = nil
        erasure.problem = ""
        erasure.stage = .compacting
        try governance.note(erasure, removing: rows.count)
        return true
    }

    /// Rewrites the store's files without deleted rows; the write-ahead log goes with the flush. Blocks for as long as that takes.
    private func compact(_ collection: Collection?) throws(KithError) {
        let database = governance.store.database
        for writer in collection?.writers ?? [] { try writer.inTurn { $0.refreshView() } }
        try database.flush()
        database.compactRange(.catalogue)
        for shard in collection?.shards ?? [] {
            let bounds = (Keys.shard(shard.id), Keys.end(of: shard.id))
            for family in [ColumnFamily.points, .changes] { database.compactRange(family, from: bounds.0, to: bounds.1) }
        }
    }
}
