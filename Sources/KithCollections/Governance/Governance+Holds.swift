import Dispatch
import Foundation
public import KithCore
import KithTelemetry
import Synchronization

private let holdLog = Log("governance")

/// Legal holds. What a hold forbids is decided where commands are applied: placing one is a command to each shard, in its order. It is in force
/// before it is told, and told to be over before it is: a crash in between leaves none in force that was not told.
extension Governance {
    /// In order of name; those of one collection where one is given.
    public func holds(of collection: UInt32? = nil) -> [LegalHold] {
        state.withLock { $0.holds.values.filter { collection == nil || $0.collectionID == collection } }
            .sorted { $0.name < $1.name }
    }

    /// - Throws: `HOLD_NOT_FOUND`, about `field`.
    public func hold(_ name: String, field: String = "hold") throws(KithError) -> LegalHold {
        guard let hold = state.withLock({ $0.holds[name] }) else {
            throw Governance.missing("hold", name, .holdNotFound, field: field)
        }
        return hold
    }

    /// What stands on a collection, oldest first.
    func standingHolds(on collection: UInt32) -> LegalHolds {
        let standing = holds(of: collection).filter(\.isStanding).sorted { ($0.placedAt, $0.name) < ($1.placedAt, $1.name) }
        return standing.isEmpty ? .none : LegalHolds(standing.map { StandingHold(name: $0.name, held: $0.held) })
    }

    /// Places a hold. When it returns, no write that is answered from now on changes or deletes a held point.
    public func place(_ wanted: LegalHold, on collection: Collection, _ request: GovernanceRequest) throws(KithError) -> LegalHold
    {
        try wanted.check()
        deciding.lock()
        defer { deciding.unlock() }
        let what = "hold \(wanted.name)"
        if try isDone(request, what) { return try hold(wanted.name, field: "hold.name") }
        let (isTaken, count) = state.withLock { ($0.holds[wanted.name] != nil, $0.holds.count) }
        if isTaken {
            throw KithError(
                .alreadyExists, .holdExists, "hold.name: '\(wanted.name)' was used before; names of holds are used once",
                metadata: ["hold": wanted.name],
                violations: [.init(field: "hold.name", description: "'\(wanted.name)' was used before")])
        }
        try Governance.check(count, Limits.legalHolds, of: "legal holds")
        var hold = wanted
        hold.placedAt = Governance.now()
        let before = standingHolds(on: hold.collectionID)
        do throws(KithError) {
            try collection.enforce(LegalHolds(before.standing + [StandingHold(name: hold.name, held: hold.held)]))
            let batch = store.makeBatch()
            try store.put(hold, .hold, key: Array(hold.name.utf8), into: batch)
            try decide(batch, [.legalHold(hold)], request, what, at: hold.placedAt) { $0.holds[hold.name] = hold }
        } catch {
            lift(before, collection)
            throw error
        }
        return hold
    }

    /// Releases a hold; its points can be changed and deleted again. Nil where the collection is gone.
    public func release(
        _ name: String, reason: String, on collection: Collection?, _ request: GovernanceRequest
    ) throws(KithError) -> LegalHold {
        try GovernanceText.check(reason, field: "reason", limit: Limits.descriptionBytes)
        deciding.lock()
        defer { deciding.unlock() }
        var hold = try hold(name)
        let what = "release \(name)"
        if try isDone(request, what) { return hold }
        guard hold.isStanding else { return hold }
        let time = Governance.now()
        hold.releasedAt = time
        hold.releaseReason = reason
        let batch = store.makeBatch()
        try store.put(hold, .hold, key: Array(name.utf8), into: batch)
        let released = hold
        try decide(batch, [.legalHold(released)], request, what, at: time) { $0.holds[name] = released }
        if let collection { lift(standingHolds(on: hold.collectionID), collection) }
        return hold
    }

    /// Leaves only `holds` standing; those that cannot be lifted now are lifted by the next change, or the next start.
    private func lift(_ holds: LegalHolds, _ collection: Collection) {
        do throws(KithError) { try collection.enforce(holds) } catch {
            holdLog.error("holds could not be lifted", ["collection": collection.definition.name, "error": "\(error)"])
        }
    }
}

extension Collection {
    /// Lets `holds` stand from a place in each shard's order on; returns when they do. Blocks.
    func enforce(_ holds: LegalHolds) throws(KithError) {
        let missing = Mutex((count: writers.count, error: KithError?.none))
        let done = DispatchSemaphore(value: 0)
        for writer in writers {
            let command = Command(operations: [], requestID: "", holds: holds, time: Governance.now(), byteCount: 0, owner: self)
            writer.append(command, durability: .accepted) { result in
                let isLast = missing.withLock { state in
                    if case .failure(let error) = result { state.error = error }
                    state.count -= 1
                    return state.count == 0
                }
                if isLast { done.signal() }
            }
        }
        done.wait()
        if let error = missing.withLock({ $0.error }) { throw error }
    }
}
