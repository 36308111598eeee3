import KithCollections
import KithCore
import Testing

@Suite struct SearchTests {
    private let folder = TemporaryFolder()

    private func line(shards: Int = 1, metric: Metric = .l2) async throws -> KithCollections.Collection {
        let collection = try folder.hold(Node.open(folder("n"))).make("c") {
            $0.shardCount = shards
            $0.spaces[0].metric = metric
        }
        let request = WriteRequest()
        for id in 0..<UInt64(50) { request.upsert(id, [Float(id), 1, 0, 0], payload: "{\"i\":\(id)}") }
        try await collection.commit(request)
        return collection
    }

    @Test(arguments: [1, 4]) func shardsAnswerAsOne(shards: Int) async throws {
        let collection = try await line(shards: shards)
        let found = try collection.nearest([10.2, 1, 0, 0], 5) { $0.selection = PointSelection(payload: true, spaces: [0]) }
        #expect(found.points.map(\.id) == [10, 11, 9, 12, 8].map { .number($0) })
        #expect(found.points.map(\.payload.text) == [10, 11, 9, 12, 8].map { "{\"i\":\($0)}" })
        #expect(found.points.map { floats($0.vectors[0].bytes)[0] } == [10, 11, 9, 12, 8])
    }

    @Test(arguments: [Metric.l2, .dot, .cosine]) func aThresholdKeepsThePointThatHasJustThatScore(metric: Metric) async throws {
        let collection = try await line(metric: metric)
        let all = try collection.nearest([7.3, 1, 0.1, 0], 50).points
        for point in all {
            let kept = try collection.nearest([7.3, 1, 0.1, 0], 50) { $0.scoreThreshold = point.score }.points
            #expect(kept.map(\.id).contains(point.id))
            #expect(kept.allSatisfy { metric.greaterIsNearer ? $0.score >= point.score : $0.score <= point.score })
        }
    }

    @Test func aPointMayBeTheQuery() async throws {
        let collection = try await line(shards: 3)
        let search = VectorSearch(space: 0, query: .point(.number(20)), topK: 4)
        let found = try collection.search(search) { false }
        #expect(Set(found.points.map(\.id)) == Set([18, 19, 21, 22].map { .number($0) }))
        let missing = VectorSearch(space: 0, query: .point(.number(99)), topK: 4)
        #expect(throws: KithError.self) { try collection.search(missing) { false } }
    }

    @Test func pagesFollowEachOther() async throws {
        let collection = try await line(shards: 3)
        for size in [1, 7, 50, 1_000] { #expect(try collection.everything(pages: size).count == 50) }
    }

    @Test func aMomentStays() async throws {
        let collection = try await line(shards: 2)
        let moment = try collection.moment()
        #expect(moment.positions == collection.positions)
        try await collection.commit(WriteRequest().delete(1).upsert(100, [1, 2, 3, 4]))
        let selection = PointSelection()
        let then = try collection.scroll(from: .init(), limit: 1_000, selection, at: moment.snapshot).points.map(\.id)
        #expect(then.count == 50 && then.contains(.number(1)) && !then.contains(.number(100)))
        let now = try collection.scroll(from: .init(), limit: 1_000, selection).points.map(\.id)
        #expect(now.count == 50 && !now.contains(.number(1)) && now.contains(.number(100)))
    }

    @Test func readsAnswerInTheOrderAsked() async throws {
        let collection = try await line(shards: 3)
        let ids: [PointID] = [5, 99, 1, 5, 98].map { .number($0) }
        let read = try collection.get(ids, PointSelection(payload: true))
        #expect(read.found.map(\.id) == [5, 1, 5].map { .number($0) } && read.missing == [99, 98].map { .number($0) })
    }
}
