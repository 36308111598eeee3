import Dispatch
import KithAPI
import KithCore
import KithTelemetry
import Synchronization
import Testing

@Suite struct AuditLogTests {
    /// What was recorded, and whether there is room for more.
    private final class Recorder: Sendable {
        let batches = Mutex<[[String]]>([])
        let failures = Atomic<Int>(0)
        let hasRoom = Atomic<Bool>(true)
        /// Signalled once a batch.
        let recorded = DispatchSemaphore(value: 0)

        func record(_ facts: [Fact]) throws(KithError) {
            if failures.load(ordering: .relaxed) > 0 {
                failures.subtract(1, ordering: .relaxed)
                throw KithError(.resourceExhausted, .storageFailure, "the disk is full")
            }
            batches.withLock { $0.append(facts.map(\.key.text)) }
            recorded.signal()
        }
    }

    private let metrics = Metrics()
    private let recorder = Recorder()

    private func log(_ policy: AuditPolicy = .all) -> AuditLog {
        AuditLog(policy, metrics: metrics, hasRoom: { [recorder] in recorder.hasRoom.load(ordering: .relaxed) }) {
            [recorder] facts throws(KithError) in try recorder.record(facts)
        }
    }

    private func fact(_ number: Int) -> Fact { Fact(.audit, type: "t", key: "\(number)", subject: "s", body: OwnedBytes([1])) }

    @Test func everythingIsRecordedInOrderBeforeTheEnd() {
        let log = log()
        let numbers = Array(0..<5_000)
        for number in numbers { log.add(fact(number)) }
        log.stop()
        let batches = recorder.batches.withLock { $0 }
        #expect(batches.flatMap { $0 } == numbers.map { "\($0)" })
        #expect(batches.allSatisfy { $0.count <= Limits.auditBatch })
        #expect(metrics.auditedRequests.current == 5_000 && metrics.lostAudits.current == 0)
    }

    @Test func aFailureIsTriedAgainAndRepeatsNothing() {
        recorder.failures.store(1, ordering: .relaxed)
        let log = log()
        log.add(fact(1))
        recorder.recorded.wait()
        log.stop()
        #expect(recorder.batches.withLock { $0 } == [["1"]])
    }

    @Test func aLogThatNeverTakesThemDoesNotHoldUpTheEnd() {
        recorder.failures.store(.max, ordering: .relaxed)
        let log = log()
        log.add(fact(1))
        log.stop()
        #expect(recorder.batches.withLock { $0 }.isEmpty && metrics.lostAudits.current == 1)
    }

    @Test func aFullLogHoldsUpToTheLimitAndTheRestIsCounted() {
        recorder.hasRoom.store(false, ordering: .relaxed)
        let log = log()
        for number in 0..<Limits.auditQueue + 10 { log.add(fact(number)) }
        #expect(metrics.lostAudits.current == 10)
        recorder.hasRoom.store(true, ordering: .relaxed)
        log.stop()
        #expect(recorder.batches.withLock { $0.reduce(0) { $0 + $1.count } } == Limits.auditQueue)
        #expect(metrics.lostAudits.current == 10)
    }

    @Test func policiesTellWhatTheySay() {
        let (writes, all) = (log(.writes), log(.all))
        for failed in [false, true] {
            #expect(!writes.wants(.read, failed: failed) && all.wants(.read, failed: failed))
            #expect(writes.wants(.admin, failed: failed))
            // Commits tell of those that succeed.
            #expect(writes.wants(.write, failed: failed) == failed && all.wants(.write, failed: failed) == failed)
        }
        writes.stop()
        all.stop()
    }

    @Test(arguments: [
        ("PointService/Upsert", AuditKind.write), ("PointService/UpsertStream", .write), ("PointService/Get", .read),
        ("PointService/Export", .read), ("SearchService/SearchBatch", .read), ("ChangeService/Subscribe", .read),
        ("CollectionService/CreateCollection", .admin), ("CollectionService/GetCollectionStats", .read),
        ("WebhookService/RotateWebhookSecret", .admin), ("WebhookService/ListDeliveries", .read),
    ])
    func methodsAreOfAKind(method: String, kind: AuditKind) { #expect(AuditKind(method: "/kith.v1.\(method)") == kind) }

    @Test func probesAreNotAudited() { #expect(AuditKind(method: "/grpc.health.v1.Health/Check") == nil) }
}
