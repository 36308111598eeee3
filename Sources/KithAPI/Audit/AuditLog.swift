import Foundation
import KithCollections
package import KithCore
package import KithTelemetry

/// Records requests in the node's log, which the relay publishes: in order, a batch a sync, behind the requests' back.
///
/// What a crash finds in the queue is lost. So is what finds the queue full, because the change log has been full for so long: it is counted.
/// Commits of points are not recorded here: their own rows tell of them.
package final class AuditLog: @unchecked Sendable {
    /// How long a batch waits that the log has no room for, or cannot take.
    private static let pause: TimeInterval = 0.2

    private let policy: AuditPolicy
    private let metrics: Metrics
    private let hasRoom: @Sendable () -> Bool
    private let record: @Sendable ([Fact]) throws(KithError) -> Void
    private let log = Log("audit")

    private let condition = NSCondition()
    private var queue: [Fact] = []
    private var isStopping = false
    private var hasEnded = false

    /// - Parameters:
    ///   - hasRoom: whether the log takes more.
    ///   - record: writes facts as one durable commit.
    package init(
        _ policy: AuditPolicy, metrics: Metrics, hasRoom: @escaping @Sendable () -> Bool,
        record: @escaping @Sendable ([Fact]) throws(KithError) -> Void
    ) {
        self.policy = policy
        self.metrics = metrics
        self.hasRoom = hasRoom
        self.record = record
        Thread(named: "kith.audit") { self.run() }.start()
    }

    /// Whether requests that ended so are told. Writes that succeeded are, by their commits.
    package func wants(_ kind: AuditKind, failed: Bool) -> Bool {
        switch kind {
        case .read: policy == .all
        case .write: failed
        case .admin: true
        }
    }

    /// Takes what is to be recorded; nil is what could not be made, and counts as lost.
    package func add(_ fact: Fact?) {
        condition.withLock {
            guard let fact, queue.count < Limits.auditQueue, !isStopping else { return metrics.lostAudits.add() }
            queue.append(fact)
            if queue.count == 1 { condition.broadcast() }
        }
    }

    /// Records what waits, where the log takes it, and ends. Blocks.
    package func stop() {
        condition.withLock {
            isStopping = true
            condition.broadcast()
            while !hasEnded { condition.wait() }
        }
    }

    // MARK: The thread

    private func run() {
        while let batch = next() {
            do throws(KithError) {
                try record(batch)
                metrics.auditedRequests.add(batch.count)
                condition.withLock { queue.removeFirst(batch.count) }
            } catch {
                log.error("requests cannot be recorded", ["waiting": "\(batch.count)", "error": "\(error)"])
                // At the end there is no later: what cannot be written now is lost, and counted.
                if condition.withLock({ isStopping }) { break }
                condition.withLock { pause() }
            }
        }
        condition.withLock {
            metrics.lostAudits.add(queue.count)
            hasEnded = true
            condition.broadcast()
        }
    }

    /// The oldest that wait, once the log has room; nil at the end.
    private func next() -> [Fact]? {
        condition.withLock {
            while true {
                let canRecord = hasRoom()
                if isStopping, queue.isEmpty || !canRecord { return nil }
                if !queue.isEmpty, canRecord { return Array(queue.prefix(Limits.auditBatch)) }
                if queue.isEmpty { condition.wait() } else { pause() }
            }
        }
    }

    /// The lock is held, and let go of meanwhile.
    private func pause() { _ = condition.wait(until: Date(timeIntervalSinceNow: AuditLog.pause)) }
}
