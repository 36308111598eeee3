import Foundation
import KithCore
import KithStorage
import Synchronization

/// What was decided about data. Decisions come one after another; lookups never wait for them.
///
/// A decision is a row and an event in one commit of the node's log. One that changes nothing is no decision: it writes and tells nothing.
public final class Governance: Sendable {
    struct State {
        var models: [String: EmbeddingModel]
        var classifications: [[UInt8]: Classification]
        /// By name; those released stay, so that no name is used twice.
        var holds: [String: LegalHold]
        var erasures: [String: Erasure]
        /// By collection, as all of retention.
        var retentions: [UInt32: Retention]
        var sweeps: [UInt32: RetentionSweep]
        var sweepResults: [UInt32: RetentionResult] = [:]
        var requests: RequestWindow
    }

    let store: GovernanceStore
    let state: Mutex<State>
    /// Held over a decision and its writing.
    let deciding = NSLock()

    init(_ store: GovernanceStore) throws(KithError) {
        self.store = store
        state = Mutex(
            State(
                models: Dictionary(try store.rows(.model, as: EmbeddingModel.self).map { ($0.reference.text, $0) }) { $1 },
                classifications: Dictionary(try store.rows(.classification, as: Classification.self).map { ($0.key, $0) }) { $1 },
                holds: Dictionary(try store.rows(.hold, as: LegalHold.self).map { ($0.name, $0) }) { $1 },
                erasures: Dictionary(try store.rows(.erasure, as: Erasure.self).map { ($0.name, $0) }) { $1 },
                retentions: Dictionary(try store.rows(.retention, as: Retention.self).map { ($0.collectionID, $0) }) { $1 },
                sweeps: Dictionary(try store.rows(.sweep, as: RetentionSweep.self).map { ($0.collectionID, $0) }) { $1 },
                requests: try RequestWindow(store)))
    }

    /// Whether a request was done before.
    func isDone(_ request: GovernanceRequest, _ what: String) throws(KithError) -> Bool {
        try state.withLock { $0.requests }.isDone(request, what)
    }

    /// Writes a decision, and takes it over once it is on disk. `deciding` is held.
    ///
    /// - Parameter what: what the request does to what.
    func decide(
        _ batch: WriteBatch, _ events: [GovernanceEvent], _ request: GovernanceRequest, _ what: String, at time: Int64,
        _ change: (inout State) -> Void
    ) throws(KithError) {
        let requests = try state.withLock { $0.requests }.noting(request, what, store, into: batch)
        try store.write(batch, telling: events, for: request, at: time)
        state.withLock {
            change(&$0)
            $0.requests = requests
        }
    }

    /// Deletes a collection by `body`, and forgets what was decided about it.
    ///
    /// - Throws: `LEGAL_HOLD` where a hold stands on it.
    func deleting(_ definition: CollectionDefinition, _ body: () throws(KithError) -> Void) throws(KithError) {
        deciding.lock()
        defer { deciding.unlock() }
        if let hold = standingHolds(on: definition.id).standing.first {
            throw KithError(
                .failedPrecondition, .legalHold,
                "collection '\(definition.name)' has points held by '\(hold.name)': it cannot be deleted until the hold is released",
                metadata: ["collection": definition.name, "hold": hold.name])
        }
        try body()
        state.withLock {
            $0.classifications = $0.classifications.filter { $0.value.collectionID != definition.id }
            $0.retentions[definition.id] = nil
            $0.sweeps[definition.id] = nil
            $0.sweepResults[definition.id] = nil
        }
    }

    static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1e6) }

    static func check(_ count: Int, _ limit: Int, of what: String) throws(KithError) {
        guard count >= limit else { return }
        throw KithError(
            .resourceExhausted, .limitExceeded, "there are \(count) \(what), the limit is \(limit)",
            metadata: ["value": "\(count)", "limit": "\(limit)"])
    }

    static func missing(_ what: String, _ name: String, _ reason: ErrorReason, field: String) -> KithError {
        let name = String(name.prefix(2 * Limits.labelBytes))
        return KithError(
            .notFound, reason, "\(field): there is no \(what) '\(name)'", metadata: [what: name],
            violations: [.init(field: field, description: "there is no \(what) '\(name)'")])
    }
}
