import KithCollections
import KithCore
import Synchronization
import Testing

/// Many writers and readers at once.
@Suite struct GroupCommitTests {
    private static func vector(_ id: Int) -> [Float] { [Float(id), Float(id % 7), 0, 1] }

    @Test(arguments: [1, 3], [Durability.accepted, .durable])
    func whatIsAcknowledgedIsSeen(shards: Int, durability: Durability) async throws {
        let folder = TemporaryFolder()
        let collection = try folder.hold(Node.open(folder("n"))).make("c", kind: "graph") { $0.shardCount = shards }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for round in 0..<40 {
                        let id = writer * 1_000 + round
                        let request = WriteRequest().upsert(UInt64(id), GroupCommitTests.vector(id))
                        let answer = try await collection.commit(request, durability: durability)
                        #expect(answer.outcomes.map(\.result) == [.created])
                        let found = try collection.nearest(GroupCommitTests.vector(id), 1)
                        #expect(found.points.map(\.id) == [.number(UInt64(id))])
                        let read = try collection.get([.number(UInt64(id))], PointSelection())
                        #expect(read.found.map(\.version) == answer.outcomes.map(\.version) && read.missing.isEmpty)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(collection.pointCount == 320)
    }

    /// Every commit replaces all points. Whoever reads must see all of one generation: old or new, never both, never none.
    @Test(arguments: ["flat", "graph"]) func aReaderSeesOneMoment(kind: String) async throws {
        let folder = TemporaryFolder()
        let collection = try folder.hold(Node.open(folder("n"))).make("c", kind: kind) {
            if kind == "graph" { $0.spaces[0].index.parameters = ["degree": "8", "construction_window": "32"] }
        }
        let points = 40
        try await collection.commit(GroupCommitTests.generation(0, points))
        let finished = Atomic(false)
        let isFinished: @Sendable () -> Bool = { finished.load(ordering: .relaxed) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for reader in 0..<3 {
                group.addTask {
                    repeat {
                        try GroupCommitTests.look(at: collection, points, reader)
                        await Task.yield()
                    } while !isFinished()
                }
            }
            for generation in 1...300 { try await collection.commit(GroupCommitTests.generation(generation, points)) }
            finished.store(true, ordering: .relaxed)
            try await group.waitForAll()
        }
        #expect(collection.pointCount == UInt64(points))
    }

    private static func generation(_ number: Int, _ points: Int) -> WriteRequest {
        let request = WriteRequest()
        for id in 0..<points {
            request.upsert(UInt64(id), [Float(id), Float(number % 5) / 100, Float(id % 3), 1], payload: "{\"g\":\(number)}")
        }
        return request
    }

    private static func look(at collection: KithCollections.Collection, _ points: Int, _ reader: Int) throws {
        let selection = PointSelection(payload: true, spaces: [0])
        let topK = reader == 0 ? points + 10 : reader == 1 ? points : 10
        let found = try collection.nearest([3, 0, 1, 1], topK) {
            $0.exact = reader == 0
            $0.selection = selection
        }.points
        #expect(found.count == min(points, topK))
        try expectOneGeneration(found)
        let read = try collection.get((0..<points).map { .number(UInt64($0)) }, selection)
        #expect(read.missing.isEmpty)
        try expectOneGeneration(read.found)
        let page = try collection.scroll(from: .init(), limit: 1_000, selection).points
        #expect(page.count == points)
        try expectOneGeneration(page)
    }

    private static func expectOneGeneration(_ points: [StoredPoint]) throws {
        #expect(Set(points.map(\.id)).count == points.count)
        #expect(Set(points.map(\.payload.text)).count == 1)
        let digits = try #require(points.first).payload.text.dropFirst(5).dropLast()
        let generation = try #require(Int(digits))
        for point in points {
            #expect(floats(point.vectors[0].bytes)[1] == Float(generation % 5) / 100)
            guard case .number(let id) = point.id else { continue }
            // Each generation gives its points the next versions in order.
            #expect(point.version == UInt64(generation * 40) + id + 1)
        }
    }
}
