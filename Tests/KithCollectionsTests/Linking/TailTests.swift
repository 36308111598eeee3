import Dispatch
import KithCollections
import KithCore
import KithIndex
import KithTelemetry
import Testing

/// What happens when vectors come faster than they are linked.
@Suite struct TailTests {
    private let folder = TemporaryFolder()
    private let gate = Gate()

    private func open(_ policy: TailPolicy, vectors: UInt32) throws -> (node: Node, collection: KithCollections.Collection) {
        let node = try Node.open(folder("n")) { $0.registry = IndexRegistry([GatedIndexMaker(gate: gate)]) }
        let collection = try node.make("c", kind: "gated") {
            $0.tailPolicy = policy
            $0.tailVectors = vectors
        }
        return (folder.hold(node), collection)
    }

    private static func batch(_ first: UInt64, _ count: UInt64) -> WriteRequest {
        let request = WriteRequest()
        for id in first..<first + count { request.upsert(id, [Float(id), 0, 0, 0]) }
        return request
    }

    @Test func writersWaitForAFullTailAndGoOnWhenItIsLinked() async throws {
        let (node, collection) = try open(.slowWriters, vectors: 10)
        try await collection.commit(TailTests.batch(0, 10))
        #expect(node.metrics.tailVectors.current == 10)
        let answers = Answers<KithCollections.Collection.WriteResult>()
        for number in 0..<UInt64(Limits.writeQueueCommands) + 5 {
            collection.write(TailTests.batch(100 + number, 1)) { answers.add($0) }
        }
        // Nothing moved: the queue took what it can hold, and the rest was refused.
        #expect(answers.all.count == 5 && answers.reasons == [.tailFull])
        #expect(collection.pointCount == 10)
        gate.set(true)
        collection.write(TailTests.batch(0, 1)) { answers.add($0) }
        await answers.wait(for: Limits.writeQueueCommands + 6)
        #expect(answers.successes >= Limits.writeQueueCommands)
        #expect(collection.pointCount == 10 + UInt64(Limits.writeQueueCommands))
    }

    /// A thread that asks again and again would ask a thousand times meanwhile.
    @Test func linkingThatWaitsForOthersRestsInBetween() async throws {
        let (_, collection) = try open(.indexedOnly, vectors: 1)
        try await collection.commit(TailTests.batch(0, 1))
        let start = ContinuousClock.now
        let before = gate.timesAsked
        #expect(eventually { gate.timesAsked >= before + 50 })
        #expect(ContinuousClock.now - start > .milliseconds(100))
    }

    @Test func writersWaitWhereSearchesSpendTooMuchOnTheTail() async throws {
        let node = folder.hold(
            try Node.open(folder("n")) {
                $0.registry = IndexRegistry([GatedIndexMaker(gate: gate)])
                // A few searches a second are too many.
                $0.tailSearchShare = 1e-9
            })
        let collection = try node.make("c", kind: "gated")
        try await collection.commit(TailTests.batch(0, UInt64(TailAllowance.fewest)))
        let answers = Answers<KithCollections.Collection.WriteResult>()
        var writes = 0
        while node.metrics.slowedWriters.current == 0 {
            _ = try collection.nearest([0, 0, 0, 0], 1)
            // One at a time, so that no queue fills meanwhile.
            if answers.all.count == writes {
                collection.write(TailTests.batch(0, 1)) { answers.add($0) }
                writes += 1
            }
        }
        #expect(answers.successes < writes)
        gate.set(true)
        await answers.wait(for: writes)
        #expect(answers.successes == writes && node.metrics.slowedWriters.current == 0)
    }

    @Test func aLongerTailMayBeAllowedWhileWritersWait() async throws {
        let (node, collection) = try open(.slowWriters, vectors: 1)
        try await collection.commit(TailTests.batch(0, 1))
        let answers = Answers<KithCollections.Collection.WriteResult>()
        collection.write(TailTests.batch(1, 1)) { answers.add($0) }
        _ = try node.catalogue.update("c", etag: "") { $0.tailVectors = 100 }
        await answers.wait(for: 1)
        #expect(answers.successes == 1)
    }

    @Test func readersAreToldWhatALongTailHides() async throws {
        let (_, collection) = try open(.indexedOnly, vectors: 10)
        try await collection.commit(TailTests.batch(0, 10))
        let whole = try collection.nearest([0, 0, 0, 0], 100)
        #expect(whole.points.count == 10 && whole.unindexedLeftOut == 0)
        try await collection.commit(TailTests.batch(10, 10))
        let linkedOnly = try collection.nearest([0, 0, 0, 0], 100)
        #expect(linkedOnly.points.isEmpty && linkedOnly.unindexedLeftOut == 20)
        let exact = try collection.nearest([0, 0, 0, 0], 100) { $0.exact = true }
        #expect(exact.points.count == 20 && exact.unindexedLeftOut == 0)
    }

    @Test func aSearchMayLeaveTheTailOut() async throws {
        let (_, collection) = try open(.slowWriters, vectors: 100)
        try await collection.commit(TailTests.batch(0, 10))
        let result = try collection.nearest([0, 0, 0, 0], 100) { $0.indexedOnly = true }
        #expect(result.points.isEmpty && result.unindexedLeftOut == 10)
    }

    @Test func aFullQueueRefuses() async throws {
        let (_, collection) = try open(.slowWriters, vectors: 100_000)
        let held = DispatchSemaphore(value: 0)
        let answers = Answers<KithCollections.Collection.WriteResult>()
        let isHolding = Answers<Void>()
        // Answers come on the writer's thread: one that does not return holds up the writer.
        collection.write(TailTests.batch(0, 1)) { _ in
            isHolding.add(.success(()))
            held.wait()
        }
        await isHolding.wait(for: 1)
        for number in 0..<UInt64(Limits.writeQueueCommands) + 3 {
            collection.write(TailTests.batch(1 + number, 1)) { answers.add($0) }
        }
        #expect(answers.all.count == 3 && answers.reasons == [.writeQueueFull])
        held.signal()
        await answers.wait(for: Limits.writeQueueCommands + 3)
        #expect(answers.successes == Limits.writeQueueCommands)
    }
}
