import KithCollections
import KithCore
import Testing

/// The same commands give the same rows, however they fall into groups.
@Suite struct DeterminismTests {
    @Test(arguments: [UInt64(11), 12]) func groupingChangesNothing(seed: UInt64) async throws {
        let folder = TemporaryFolder()
        let apart = try folder.hold(Node.open(folder("apart"))).make("c")
        let together = try folder.hold(Node.open(folder("together"))).make("c")
        var requests = RandomRequests(seed: seed, dimensions: [4], pointCount: 40)
        var model = Model(apart)
        var all: [(requestID: String, operations: [Model.Operation])] = []
        for _ in 0..<400 {
            let request = requests.next(model)
            _ = model.apply(request.operations, requestID: request.requestID)
            all.append(request)
        }
        // One by one, each a group of its own; and all at once, in as few groups as the writer makes of them.
        for request in all { try await apart.commit(WriteRequest(request.operations), requestID: request.requestID) }
        let answers = Answers<KithCollections.Collection.WriteResult>()
        for request in all {
            together.write(WriteRequest(request.operations), requestID: request.requestID) { answers.add($0) }
        }
        await answers.wait(for: all.count)
        #expect(answers.successes == all.count)
        #expect(try history(of: apart) == history(of: together))
        #expect(try rows(of: apart) == rows(of: together))
    }

    /// Every change with the bytes of its images, slots and digests among them. Times differ, for clients' clocks do.
    private func history(of collection: KithCollections.Collection) throws -> [[[UInt8]]] {
        var history: [[[UInt8]]] = []
        _ = try collection.shards[0].forEachCommit(after: 0) { commit, _ in
            history.append([Array(commit.requestID.utf8)] + commit.changes.map(encoded))
            return true
        }
        return history
    }

    private func rows(of collection: KithCollections.Collection) throws -> [[UInt8]] {
        let page = try collection.readCommit(
            from: .init(), limit: 1_000, at: nil, positions: collection.positions.map(\.position))
        return page.commits.flatMap { $0.commit.changes.map(encoded) }
    }

    private func encoded(_ change: Change) -> [UInt8] {
        var bytes = [change.operation.rawValue] + change.id.encoded
        change.before?.encode(into: &bytes)
        change.after?.encode(into: &bytes)
        return bytes
    }
}
