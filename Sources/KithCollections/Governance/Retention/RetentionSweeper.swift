@preconcurrency import Dispatch
import KithCore
import KithStorage
import KithTelemetry
import Synchronization

private let retentionLog = Log("retention")

/// Deletes points whose time is over, beside everything else: a page at a time, with a rest thrice as long after each.
///
/// Deletions are ordinary writes, each on the condition that the point still has the version that was too old. What a write is about is kept before it
/// is made, under one name for ever: after a crash it is asked for again, and its first answer counts.
package final class RetentionSweeper: Sendable {
    private struct State {
        var clock: VersionClock
        /// When collections were last swept, and for which rule.
        var swept: [UInt32: (time: Int64, rule: Int64)] = [:]
    }

    private let governance: Governance
    private let catalogue: Catalogue
    private let metrics: Metrics
    private let queue = DispatchQueue(label: "kith.retention", qos: .utility)
    private let timer: any DispatchSourceTimer
    /// Signalled when it is to stop.
    private let stopping = DispatchSemaphore(value: 0)
    private let isStopping = Atomic(false)
    private let state: Mutex<State>

    init(
        governance: Governance, catalogue: Catalogue, database: Database, metrics: Metrics, interval: DispatchTimeInterval
    ) {
        self.governance = governance
        self.catalogue = catalogue
        self.metrics = metrics
        state = Mutex(State(clock: VersionClock(database)))
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + interval, repeating: interval)
        timer.setEventHandler { [weak self] in self?.visitAll(at: Governance.now()) }
        timer.activate()
    }

    /// Returns when nothing is under way any more.
    func stop() {
        isStopping.store(true, ordering: .relaxed)
        stopping.signal()
        timer.cancel()
        queue.sync {}
    }

    private var shouldStop: Bool { isStopping.load(ordering: .relaxed) }

    /// Sweeps what is due at a time, in microseconds since 1970. Blocks.
    package func round(at time: Int64) { queue.sync { visitAll(at: time) } }

    private func visitAll(at time: Int64) {
        let collections = catalogue.all
        let ids = Set(collections.map(\.definition.id))
        state.withLock { state in
            state.clock.keep(ids)
            state.swept = state.swept.filter { ids.contains($0.key) }
        }
        for collection in collections where !shouldStop { visit(collection, at: time) }
        for sweep in governance.openSweeps where !ids.contains(sweep.collectionID) {
            // Of a collection that was deleted meanwhile.
            do throws(KithError) { try governance.close(sweep) } catch { report(error, about: sweep.collection) }
        }
        tell(at: time)
    }

    /// Goes on with what a collection has open, and sweeps it if that is due.
    private func visit(_ collection: Collection, at time: Int64) {
        let definition = collection.definition
        let rule = governance.retention(of: definition)
        let pause = min(max(rule.maxAge / 64, 1_000_000), Limits.retentionSweepSeconds * 1_000_000)
        do throws(KithError) {
            let spacing = min(rule.isRule ? pause : .max, Limits.versionTimeSeconds * 1_000_000)
            try state.withLock { (state) throws(KithError) in try state.clock.note(collection, at: time, spacing: spacing) }
            try finish(of: collection)
            let last = state.withLock { $0.swept[definition.id] }
            guard rule.isRule, last.map({ time - $0.time >= pause || $0.rule != rule.updatedAt }) ?? true else { return }
            let result = try sweep(collection, rule, at: time)
            state.withLock { $0.swept[definition.id] = (time, rule.updatedAt) }
            governance.note(result, of: definition.id)
        } catch {
            var result = governance.retentionResult(of: definition.id)
            guard !shouldStop, error.description != result.problem else { return }
            report(error, about: definition.name)
            result.problem = error.description
            governance.note(result, of: definition.id)
        }
    }

    private func report(_ error: KithError, about collection: String) {
        retentionLog.error("retention does not go on", ["collection": collection, "error": error.description])
    }

    private func tell(at time: Int64) {
        let rules = governance.retentions
        let results = rules.map { governance.retentionResult(of: $0.collectionID) }
        metrics.retentionHeldPoints.set(results.reduce(0) { $0 + Int($1.held) })
        metrics.retentionUndatedPoints.set(results.reduce(0) { $0 + Int($1.undated) })
        metrics.retentionFailing.set(results.count { !$0.problem.isEmpty })
        let ages = zip(rules, results).map { rule, result in max(0, time - (result.sweptAt ?? rule.updatedAt)) }
        metrics.retentionSweepAge.set(Int((ages.max() ?? 0) / 1_000_000))
    }

    // MARK: A sweep

    /// Goes through a collection once, as long as the rule stands.
    private func sweep(_ collection: Collection, _ rule: Retention, at time: Int64) throws(KithError) -> RetentionResult {
        var result = RetentionResult()
        let end = time - rule.maxAge
        let versions = try state.withLock { (state) throws(KithError) in try state.clock.versions(collection, by: end - 1) }
        var open: RetentionSweep?
        var cursor: Collection.ScrollCursor? = Collection.ScrollCursor()
        // Nothing is old enough yet.
        if rule.field.isEmpty, versions.allSatisfy({ $0 == 0 }) { cursor = nil }
        while let from = cursor, !shouldStop, governance.retention(of: collection.definition).says(what: rule) {
            let start = DispatchTime.now().uptimeNanoseconds
            let page = try collection.scroll(
                from: from, limit: Limits.retentionBatch, PointSelection(payload: !rule.field.isEmpty))
            var old: [RetentionSweep.Target] = []
            for point in page.points {
                if rule.field.isEmpty {
                    guard point.version <= versions[collection.shardNumber(of: point.id)] else { continue }
                } else {
                    guard let began = PayloadTime.latest(in: point.payload, path: rule.field) else {
                        result.undated += 1
                        continue
                    }
                    guard began < end else { continue }
                }
                old.append(RetentionSweep.Target(id: point.id, version: point.version))
            }
            if !old.isEmpty {
                let held = try collection.heldPoints(among: old.map(\.id))
                result.held += UInt64(held.count)
                old.removeAll { held.contains($0.id) }
            }
            if !old.isEmpty {
                var sweep = open ?? RetentionSweep(rule, at: Governance.now())
                sweep.batch = old
                sweep = try delete(sweep, in: collection)
                open = sweep
                if sweep.deleted >= Limits.retentionEventPoints {
                    result.held += try close(&open)
                }
            }
            cursor = page.next
            if cursor != nil { rest(after: DispatchTime.now().uptimeNanoseconds - start) }
        }
        result.held += try close(&open)
        result.sweptAt = time
        return result
    }

    private func close(_ open: inout RetentionSweep?) throws(KithError) -> UInt64 {
        guard let sweep = open else { return 0 }
        try governance.close(sweep)
        open = nil
        return sweep.held
    }

    /// Ends what a crash or a failure left.
    private func finish(of collection: Collection) throws(KithError) {
        guard let left = governance.openSweeps.first(where: { $0.collectionID == collection.definition.id }) else { return }
        try governance.close(left.batch.isEmpty ? left : delete(left, in: collection))
    }

    /// Deletes the batch of a sweep; answers the sweep after it.
    private func delete(_ sweep: RetentionSweep, in collection: Collection) throws(KithError) -> RetentionSweep {
        try governance.note(sweep)
        let answer = try collection.delete(
            sweep.batch.map { ($0.id, $0.version) }, requestID: sweep.requestID, purpose: .items,
            context: try governance.store.describer?.systemContext("retention"))
        var after = sweep
        var shards: Set<UInt16> = []
        for (target, outcome) in zip(sweep.batch, answer.outcomes) {
            if outcome.error == .legalHold { after.held += 1 }
            guard outcome.result == .deleted else { continue }
            after.deleted += 1
            shards.insert(UInt16(collection.shardNumber(of: target.id)))
        }
        if !answer.replayed { metrics.retentionDeletedPoints.add(Int(after.deleted - sweep.deleted)) }
        after.positions += answer.positions.filter { shards.contains($0.shard) }
        after.batches += 1
        after.batch = []
        return after
    }

    /// Leaves the machine to others, for no longer than a second.
    private func rest(after nanoseconds: UInt64) {
        let length = DispatchTimeInterval.nanoseconds(Int(min(3 * nanoseconds, 1_000_000_000)))
        // Whoever else waits is to be woken too.
        if stopping.wait(timeout: .now() + length) == .success { stopping.signal() }
    }
}
