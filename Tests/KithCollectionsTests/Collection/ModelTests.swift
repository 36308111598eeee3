import KithCollections
import KithCore
import KithIndex
import KithStorage
import Testing

/// Random requests against the plain model, with the node closed, crashed and damaged in between.
@Suite struct ModelTests {
    private static let dimensions = [8, 4]

    private static func definition(shards: Int) -> CollectionDefinition {
        let graph = IndexDefinition(kind: "graph", parameters: ["degree": "8", "construction_window": "32"])
        return CollectionDefinition(
            name: "model",
            spaces: [
                VectorSpace(name: "left", dimension: dimensions[0], metric: .l2, index: graph),
                VectorSpace(name: "right", dimension: dimensions[1], metric: .l2, index: IndexDefinition(kind: "flat")),
            ], shardCount: shards)
    }

    enum Interruption: CaseIterable {
        case close
        /// Leaves the checkpoints of the close before: the rest is in the log.
        case crash
        case closeAndLoseCheckpoints
        case closeAndDamageCheckpoints
    }

    @Test(arguments: [1, 3], [UInt64(1), 2, 3])
    func everythingReadIsWhatWasWritten(shards: Int, seed: UInt64) async throws {
        let folder = TemporaryFolder()
        var path = folder("0")
        var node: Node? = try Node.open(path)
        _ = try node?.catalogue.create(ModelTests.definition(shards: shards))
        var requests = RandomRequests(seed: seed, dimensions: ModelTests.dimensions, pointCount: 120)
        var model = Model(try #require(node).catalogue.collection("model"))
        var isDamaged = false
        for round in 0..<9 {
            for part in 0..<2 {
                try await write(60, &requests, &model, try #require(node).catalogue.collection("model"))
                // What a crash would leave now.
                let copy = folder("\(round)-\(part)")
                try copyFolder(path, to: copy)
                try expectWhole(copy, isDamaged: isDamaged)
                try Directory.remove(copy)
            }
            try model.expectEqual(try #require(node).catalogue.collection("model"), &requests.random)
            let interruption = Interruption.allCases[round % Interruption.allCases.count]
            let next = folder("\(round + 1)")
            if interruption == .crash { try copyFolder(path, to: next) }
            node?.close()
            node = nil
            if interruption == .crash { path = next }
            for file in try files(below: path) where file.hasSuffix("/checkpoint") {
                if interruption == .closeAndLoseCheckpoints { try Directory.remove(file) }
                if interruption == .closeAndDamageCheckpoints { damage(file) }
            }
            isDamaged = interruption == .closeAndDamageCheckpoints
            try expectWhole(path, isDamaged: isDamaged)
            node = try Node.open(path)
            try model.expectEqual(try #require(node).catalogue.collection("model"), &requests.random)
        }
        node?.close()
        node = nil
        try expectWhole(path, isDamaged: false)
    }

    /// - Parameter isDamaged: checkpoints were, and no others have been written since.
    private func expectWhole(_ path: String, isDamaged: Bool) throws {
        let report = try DataFolderCheck(path).run()
        #expect(report.isWhole != isDamaged && report.isRepairable, "\(report.problems)")
    }

    private func write(
        _ count: Int, _ requests: inout RandomRequests, _ model: inout Model, _ collection: KithCollections.Collection
    ) async throws {
        for _ in 0..<count {
            let request = requests.next(model)
            let expected = model.apply(request.operations, requestID: request.requestID)
            let durability = Durability(rawValue: UInt8(1 + requests.random.below(3)))
            let result = try await collection.commit(
                WriteRequest(request.operations), requestID: request.requestID, durability: durability)
            try #require(result.outcomes == expected)
        }
        // The log shows synced commits only.
        for number in collection.shards.indices { try await settle(collection, shard: number) }
    }

    /// A deletion of nothing, durably: what was only accepted before is synced with it.
    private func settle(_ collection: KithCollections.Collection, shard: Int) async throws {
        let ids = (UInt64(1_000_000)...).lazy.map { PointID.number($0) }
        let id = try #require(ids.first { collection.shardNumber(of: $0) == shard })
        let request = WriteRequest()
        request.add(id, .delete)
        try await collection.commit(request, durability: .durable)
    }
}
