import Dispatch
import KithCollections
import KithCore
import Synchronization

/// Waiting for positions within a call's deadline.
enum Deadline {
    /// How long a call without a deadline waits.
    private static let longestWaitMilliseconds: Int64 = 30_000

    /// Calls `then` when `positions` are reached, or with an error when the deadline passes first; once, maybe at once.
    static func whenApplied(
        _ positions: [ShardPosition], in collection: Collection, of call: Call,
        _ then: @escaping @Sendable (KithError?) -> Void
    ) throws(KithError) {
        if positions.isEmpty { return then(nil) }
        let first = Mutex(true)
        let claim: @Sendable () -> Bool = {
            first.withLock { isFirst in
                defer { isFirst = false }
                return isFirst
            }
        }
        let applied = try collection.whenApplied(positions) { if claim() { then(nil) } }
        let wait = min(call.remainingMilliseconds, longestWaitMilliseconds)
        guard first.withLock({ $0 }) else { return }
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(Int(wait))) {
            guard claim() else { return }
            applied.cancel()
            then(notReached(positions, collection))
        }
    }

    private static func notReached(_ positions: [ShardPosition], _ collection: Collection) -> KithError {
        let have = collection.positions.map { "\($0.shard):\($0.position)" }.joined(separator: ",")
        let want = positions.map { "\($0.shard):\($0.position)" }.joined(separator: ",")
        return KithError(
            .deadlineExceeded, .positionNotReached, "min_positions: \(want) not reached in time, the shards are at \(have)",
            metadata: ["wanted": want, "applied": have])
    }
}
