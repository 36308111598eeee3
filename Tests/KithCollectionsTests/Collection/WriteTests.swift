import KithCollections
import KithCore
import Testing

/// Requests that repeat, that are empty, and reads that wait for them.
@Suite struct WriteTests {
    private let folder = TemporaryFolder()

    @Test(arguments: [1, 3]) func aRepeatedRequestGetsItsFirstAnswer(shards: Int) async throws {
        var node: Node? = try Node.open(folder("n"))
        var collection: KithCollections.Collection! = try #require(node).make("c") { $0.shardCount = shards }
        func request() -> WriteRequest {
            let request = WriteRequest()
            for id in 0..<UInt64(6) { request.upsert(id, [1, 2, 3, Float(id)], mode: .insertOnly) }
            return request
        }
        let first = try await collection.commit(request(), requestID: "r")
        #expect(!first.replayed && first.outcomes.allSatisfy { $0.result == .created })
        let second = try await collection.commit(request(), requestID: "r")
        #expect(second.replayed && second.outcomes == first.outcomes && second.positions == first.positions)
        collection = nil
        node?.close()
        node = nil
        node = try Node.open(folder("n"))
        collection = try #require(node).catalogue.collection("c")
        let third = try await collection.commit(request(), requestID: "r")
        #expect(third.replayed && third.outcomes == first.outcomes)
        let other = try await collection.commit(request(), requestID: "s")
        #expect(!other.replayed && other.outcomes.allSatisfy { $0.error == .pointExists })
        #expect(collection.pointCount == 6)
    }

    @Test func arequestIDOfAnotherRequestIsRefused() async throws {
        let collection = try folder.hold(Node.open(folder("n"))).make("c")
        try await collection.commit(WriteRequest().upsert(1, [1, 2, 3, 4]), requestID: "r")
        await #expect(throws: KithError.self) {
            try await collection.commit(
                WriteRequest().upsert(1, [1, 2, 3, 4]).upsert(2, [1, 2, 3, 4]), requestID: "r")
        }
        #expect(collection.pointCount == 1)
    }

    @Test(arguments: [1, 3]) func anEmptyWriteIsAnswered(shards: Int) async throws {
        let collection = try folder.hold(Node.open(folder("n"))).make("c") { $0.shardCount = shards }
        let answer = try await collection.commit(WriteRequest())
        #expect(answer.outcomes.isEmpty && answer.positions.count == shards)
        #expect(answer.positions.allSatisfy { $0.position == 0 })
    }

    @Test func whatChangesNothingTakesNoPosition() async throws {
        let collection = try folder.hold(Node.open(folder("n"))).make("c")
        let answer = try await collection.commit(WriteRequest().delete(1))
        #expect(answer.outcomes == [WriteOutcome(.notFound)] && answer.positions.map(\.position) == [0])
    }

    @Test func aStreamRepeatsNothingWhenResumed() async throws {
        let collection = try folder.hold(Node.open(folder("n"))).make("c") { $0.shardCount = 3 }
        func send(_ sequences: ClosedRange<UInt64>) async throws -> [WriteOutcome] {
            let request = WriteRequest()
            for sequence in sequences { request.upsert(sequence, [Float(sequence), 0, 0, 0]) }
            let progress = StreamProgress(id: "s", sequences: Array(sequences), last: sequences.upperBound)
            return try await withCheckedContinuation { continuation in
                collection.write(
                    request.operations, stream: progress, durability: .durable, byteCount: request.byteCount, owner: request
                ) { continuation.resume(returning: $0) }
            }.get().outcomes
        }
        #expect(try await send(1...5).allSatisfy { $0.version > 0 })
        #expect(try collection.lastItem(ofStream: "s") == 5)
        let versions = try collection.everything().mapValues(\.version)
        _ = try await send(3...8)
        let again = try collection.everything().mapValues(\.version)
        #expect(versions.allSatisfy { again[$0.key] == $0.value } && again.count == 8)
        #expect(try collection.lastItem(ofStream: "s") == 8 && collection.lastItem(ofStream: "t") == 0)
    }

    @Test func aReadMayWaitForAPosition() async throws {
        let collection = try folder.hold(Node.open(folder("n"))).make("c")
        let reached = Answers<Void>()
        try collection.whenApplied([ShardPosition(shard: 0, position: 2)]) { reached.add(.success(())) }
        let abandoned = Answers<Void>()
        let wait = try collection.whenApplied([ShardPosition(shard: 0, position: 2)]) { abandoned.add(.success(())) }
        try await collection.commit(WriteRequest().upsert(1, [1, 2, 3, 4]))
        #expect(reached.all.isEmpty)
        wait.cancel()
        try await collection.commit(WriteRequest().upsert(1, [1, 2, 3, 4]))
        await reached.wait(for: 1)
        #expect(abandoned.all.isEmpty)
        #expect(throws: KithError.self) { try collection.whenApplied([ShardPosition(shard: 1, position: 1)]) {} }
    }

    @Test func waitsAreLimited() throws {
        let collection = try folder.hold(Node.open(folder("n"))).make("c")
        var waits: [PositionWait] = []
        let far = [ShardPosition(shard: 0, position: .max)]
        for _ in 0..<Limits.positionWaiters { waits.append(try collection.whenApplied(far) {}) }
        #expect(throws: KithError.self) { try collection.whenApplied(far) {} }
        waits[0].cancel()
        try collection.whenApplied(far) {}
    }
}
