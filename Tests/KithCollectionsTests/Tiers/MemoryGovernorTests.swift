import KithCollections
import KithCore
import KithTelemetry
import Testing
import TestSupport

@Suite struct MemoryGovernorTests {
    private let folder = TemporaryFolder()
    private static let dimension = 32
    private static let points: UInt64 = 6_000

    private func open() throws -> Node { try Node.open(folder("n")) { $0.memoryRoundMilliseconds = 5 } }

    private func vector(_ number: UInt64) -> [Float] {
        var random = SeededGenerator(seed: number)
        return (0..<Self.dimension).map { _ in Float.random(in: -1...1, using: &random) }
    }

    private func fill(_ collection: KithCollections.Collection) async throws {
        for first in stride(from: 0, to: Self.points, by: 1_000) {
            let request = WriteRequest()
            for id in first..<first + 1_000 { request.upsert(id, vector(id)) }
            try await collection.commit(request, durability: .indexed)
        }
    }

    private func space(_ collection: KithCollections.Collection) -> CollectionStats.Space { collection.stats.spaces[0] }

    private func setBudget(_ bytes: Int, _ node: Node) throws {
        _ = try node.catalogue.update("films", etag: "") { $0.memoryBudgetBytes = bytes }
    }

    @Test(
        "what a budget leaves no room for is read from disk, and comes back when there is",
        arguments: ["graph", "disk_graph", "ivf_flat", "ivf_scalar"])
    func budgets(_ kind: String) async throws {
        let node = try open()
        let collection = try node.make("films", kind: kind, dimension: Self.dimension) {
            if kind.hasPrefix("ivf") { $0.spaces[0].index.parameters["train_at"] = "1000" }
        }
        try await fill(collection)
        #expect(space(collection).readBytes == 0)
        let queries = (0..<20).map { vector(10_000 + $0) }
        func answers() throws -> [[PointID]] {
            // The effort that a recall needs becomes known meanwhile.
            try queries.map { try collection.nearest($0, 5) { $0.effort = 50 }.points.map(\.id) }
        }
        let mapped = try answers()

        try setBudget(1, node)
        while space(collection).mappedBytes > 0 { await Task.yield() }
        #expect(space(collection).memoryBytes > 0)
        #expect(space(collection).readBytes > 0)
        #expect(try answers() == mapped)
        #expect(node.metrics.tierDemotions.current > 0 || kind != "disk_graph")

        try setBudget(1 << 30, node)
        while space(collection).readBytes > 0 { await Task.yield() }
        #expect(node.metrics.tierPromotions.current > 0)
        #expect(try answers() == mapped)
    }

    @Test("an exact search leaves little of what is to be on disk in memory, also between the governor's rounds")
    func scansLeaveLittle() async throws {
        let node = try Node.open(folder("n")) { $0.memoryRoundMilliseconds = 3_600_000 }
        let collection = try node.make("films", kind: "flat", dimension: 512) { $0.memoryBudgetBytes = 1 }
        let points = 12_000
        for first in stride(from: 0, to: points, by: 1_000) {
            let request = WriteRequest()
            for id in first..<first + 1_000 { request.upsert(UInt64(id), [Float](repeating: Float(id), count: 512)) }
            try await collection.commit(request)
        }
        #expect(try collection.nearest([Float](repeating: 7_000, count: 512), 1).points.map(\.id) == [.number(7_000)])
        #expect(residentVectors() < points * 512 * 4 / 2)
        node.close()
    }

    private func residentVectors() -> Int { residentVectorBytes(below: folder("n")).values.reduce(0, +) }

    @Test("a collection on disk is opened within its budget, and answers as before")
    func reopens() async throws {
        let query = vector(77_777)
        var answer: [PointID] = []
        do {
            let node = try open()
            let collection = try node.make("films", kind: "disk_graph", dimension: Self.dimension) {
                $0.memoryBudgetBytes = 1
            }
            try await fill(collection)
            answer = try collection.nearest(query, 5) { $0.effort = 50 }.points.map(\.id)
            node.close()
        }
        let node = try open()
        let collection = try node.catalogue.collection("films")
        #expect(space(collection).mappedBytes == 0)
        #expect(space(collection).linkedVectors == Int(Self.points))
        #expect(try collection.nearest(query, 5) { $0.effort = 50 }.points.map(\.id) == answer)
        node.close()
    }

    @Test("the node's budget is kept by collections that have none of their own, whatever it was when they were written")
    func ofTheNode() async throws {
        let query = vector(77_777)
        for budget in [1, 1 << 40, 1] {
            let node = try Node.open(folder("n")) {
                $0.memoryRoundMilliseconds = 5
                $0.memoryBudgetBytes = budget
            }
            #expect(node.metrics.memoryBudgetBytes.current == budget)
            for name in ["films", "books"] where node.catalogue.all.count < 2 {
                try await fill(try node.make(name, kind: name == "films" ? "flat" : "disk_graph", dimension: Self.dimension))
            }
            let collections = node.catalogue.all
            let bytes = 2 * Int(Self.points) * Self.dimension * MemoryLayout<Float>.size
            let isKept = try eventually {
                // Looks at every vector.
                let found = try collections.map { try $0.nearest(query, 5) { $0.exact = true }.points.map(\.id) }
                #expect(found[0] == found[1])
                return budget == 1
                    ? collections.allSatisfy { space($0).mappedBytes == 0 }
                    : collections.allSatisfy { space($0).readBytes == 0 } && residentVectors() >= bytes
            }
            #expect(isKept, "\(budget)")
            if budget == 1 { #expect(eventually { residentVectors() == 0 }) }
            node.close()
        }
    }
}
