import Glibc
import KithCollections
import KithCore
import KithIndex
import KithStorage
import Synchronization
import Testing

/// When a write is answered, and what a failure leaves.
@Suite struct DurabilityTests {
    @Test func acceptedWritesAreShownToFeedsOnceSynced() async throws {
        let folder = TemporaryFolder()
        let node = try Node.open(folder("n"))
        let collection = try node.make("c")
        let feed: any ChangeFeed = collection.shards[0]
        let synced = Answers<LogPosition>()
        let token = feed.observeCommits { synced.add(.success(feed.lastPosition)) }
        defer { feed.stopObserving(token) }
        let seen = Mutex<[LogPosition?]>([])
        // The answer comes on the writer's own thread, so the sync cannot have come before it.
        collection.write(WriteRequest().upsert(1, [1, 2, 3, 4]), durability: .accepted) { _ in
            let visited = try? feed.forEachCommit(after: 0) { _, _ in true }
            seen.withLock { $0 = [collection.positions[0].position, feed.lastPosition, visited] }
        }
        await synced.wait(for: 1)
        #expect(seen.withLock { $0 } == [1, 0, 0])
        #expect(feed.lastPosition == 1)
        #expect(try feed.forEachCommit(after: 0) { _, _ in true } == 1)
    }

    @Test func indexedWritesAreAnsweredOnceLinked() async throws {
        let folder = TemporaryFolder()
        let gate = Gate()
        let node = try Node.open(folder("n")) { $0.registry = IndexRegistry([GatedIndexMaker(gate: gate)]) }
        let collection = try node.make("c", kind: "gated")
        let answers = Answers<KithCollections.Collection.WriteResult>()
        collection.write(WriteRequest().upsert(1, [1, 2, 3, 4]), durability: .indexed) { answers.add($0) }
        try await collection.commit(WriteRequest().upsert(2, [1, 2, 3, 4]), durability: .durable)
        // Committed in order: the first is applied, but not linked.
        #expect(collection.positions[0].position == 2 && answers.all.isEmpty)
        gate.set(true)
        try await collection.commit(WriteRequest().delete(2), durability: .durable)
        await answers.wait(for: 1)
        #expect(answers.successes == 1)
    }

    @Test func indexedWritesThatAreNotLinkedBeforeClosingSaySo() async throws {
        let folder = TemporaryFolder()
        let node = try Node.open(folder("n")) { $0.registry = IndexRegistry([GatedIndexMaker(gate: Gate())]) }
        let collection = try node.make("c", kind: "gated")
        let answers = Answers<KithCollections.Collection.WriteResult>()
        collection.write(WriteRequest().upsert(1, [1, 2, 3, 4]), durability: .indexed) { answers.add($0) }
        try await collection.commit(WriteRequest().upsert(2, [1, 2, 3, 4]))
        node.close()
        #expect(answers.reasons == [.shuttingDown])
        #expect(try collection.get([.number(1)], PointSelection()).found.count == 1)
    }

    /// A space whose vectors fill a segment soon, whose folder is then taken away.
    @Test func aWriteThatCannotBeStoredLeavesNothing() async throws {
        let folder = TemporaryFolder()
        let dimension = Limits.dimension
        let path = folder("n")
        var node: Node? = try Node.open(path)
        var collection: KithCollections.Collection? = try node?.make("c", dimension: dimension)
        let vector = (0..<dimension).map { Float($0 % 13) }
        func batch(_ first: UInt64, _ count: UInt64) -> WriteRequest {
            let request = WriteRequest()
            for id in first..<first + count { request.upsert(id, vector, payload: "{\"i\":\(id)}") }
            return request
        }
        let rows = UInt64(Limits.segmentBytes / (dimension * 4))
        do {
            let collection = try #require(collection)
            try await collection.commit(batch(0, rows - 10))
            let vectors = "\(path)/collections/1/0/0/vectors"
            #expect(rename(vectors, "\(vectors).away") == 0)
            // Ten fit, and ten need a segment that cannot be made: none is there.
            await #expect(throws: KithError.self) { try await collection.commit(batch(1_000, 20)) }
            #expect(collection.pointCount == rows - 10 && collection.positions[0].position == 1)
            #expect(try collection.get([.number(1_000)], PointSelection()).missing == [.number(1_000)])
            // What needs no new segment goes on.
            try await collection.commit(batch(2_000, 5))
            #expect(rename("\(vectors).away", vectors) == 0)
            let answer = try await collection.commit(batch(1_000, 20))
            #expect(answer.positions.map(\.position) == [3])
            #expect(try collection.nearest(vector, 10_000).points.count == Int(rows) + 15)
        }
        collection = nil
        node?.close()
        node = nil
        let reopened = try Node.open(path)
        let again = try reopened.catalogue.collection("c")
        #expect(again.pointCount == rows + 15 && again.positions[0].position == 3)
        #expect(try again.nearest(vector, 10_000).points.allSatisfy { $0.score == 0 })
    }

    @Test func closingAnswersEveryWrite() async throws {
        let folder = TemporaryFolder()
        var node: Node? = try Node.open(folder("n"))
        var collection: KithCollections.Collection? = try node?.make("c") { $0.shardCount = 2 }
        let answers = Answers<(UInt64, KithCollections.Collection.WriteResult)>()
        let sent = 4_000
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                let collection = try #require(collection)
                group.addTask {
                    for number in 0..<sent / 4 {
                        let id = UInt64(writer * sent + number)
                        collection.write(WriteRequest().upsert(id, [1, 2, 3, Float(number)])) { result in
                            answers.add(result.map { (id, $0) })
                        }
                        await Task.yield()
                    }
                }
            }
            await answers.wait(for: 200)
            node?.close()
            try await group.waitForAll()
        }
        await answers.wait(for: sent)
        #expect(answers.reasons.isSubset(of: [.shuttingDown]))
        collection = nil
        node = nil
        let committed = Set(answers.all.compactMap { try? PointID.number($0.get().0) })
        let reopened = try Node.open(folder("n"))
        #expect(Set(try reopened.catalogue.collection("c").everything(pages: 500).keys) == committed)
    }
}
