import Foundation
public import KithCore
import Synchronization

/// Retention: ruled here, carried out by `RetentionSweeper`.
extension Governance {
    /// The rules there are, in order of collection.
    public var retentions: [Retention] {
        state.withLock { $0.retentions.values.filter(\.isRule) }.sorted { $0.collection < $1.collection }
    }

    /// A collection's rule; one that says nothing where it has none.
    public func retention(of definition: CollectionDefinition) -> Retention {
        state.withLock { $0.retentions[definition.id] } ?? Retention(definition)
    }

    /// How the last sweep of a collection ended.
    public func retentionResult(of collection: UInt32) -> RetentionResult {
        state.withLock { $0.sweepResults[collection] } ?? RetentionResult()
    }

    /// Sets a collection's rule, or removes it.
    public func retain(_ wanted: Retention, _ request: GovernanceRequest) throws(KithError) -> Retention {
        try wanted.check()
        deciding.lock()
        defer { deciding.unlock() }
        let known = state.withLock { $0.retentions[wanted.collectionID] }
        let what = "retention \(wanted.collectionID)"
        if try isDone(request, what) { return known ?? wanted }
        if let known, known.says(what: wanted) { return known }
        if known == nil, !wanted.isRule { return wanted }
        var rule = wanted
        rule.updatedAt = Governance.now()
        rule.deleted = known?.deleted ?? 0
        let made = rule
        let batch = store.makeBatch()
        try store.put(made, .retention, key: made.key, into: batch)
        try decide(batch, [.retentionSet(made)], request, what, at: made.updatedAt) {
            $0.retentions[made.collectionID] = made
            $0.sweepResults[made.collectionID] = nil
        }
        return made
    }

    // MARK: For the sweeper

    /// What a crash or a failure left open.
    var openSweeps: [RetentionSweep] { state.withLock { Array($0.sweeps.values) }.sorted { $0.collection < $1.collection } }

    func note(_ result: RetentionResult, of collection: UInt32) {
        state.withLock { $0.sweepResults[collection] = result }
    }

    /// Keeps how far a sweep has come.
    func note(_ sweep: RetentionSweep) throws(KithError) {
        deciding.lock()
        defer { deciding.unlock() }
        let batch = store.makeBatch()
        try store.put(sweep, .sweep, key: sweep.key, into: batch)
        try decide(batch, [], GovernanceRequest(), "", at: Governance.now()) { $0.sweeps[sweep.collectionID] = sweep }
    }

    /// Forgets a sweep, and tells what it did.
    func close(_ sweep: RetentionSweep) throws(KithError) {
        deciding.lock()
        defer { deciding.unlock() }
        let batch = store.makeBatch()
        try store.put(nil as RetentionSweep?, .sweep, key: sweep.key, into: batch)
        var rule = state.withLock { $0.retentions[sweep.collectionID] }
        rule?.deleted += sweep.deleted
        let counted = rule
        if let counted { try store.put(counted, .retention, key: counted.key, into: batch) }
        let request = GovernanceRequest(context: try store.describer?.systemContext("retention"))
        let events: [GovernanceEvent] = counted == nil || sweep.deleted == 0 ? [] : [.retentionApplied(sweep)]
        try decide(batch, events, request, "", at: Governance.now()) {
            $0.sweeps[sweep.collectionID] = nil
            $0.retentions[sweep.collectionID] = counted
        }
    }
}
