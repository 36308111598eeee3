import Foundation
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

    /// Of vectors in the test's folder that are mapped.
    private func residentVectors() -> Int {
        let text = FileHandle(forReadingAtPath: "/proc/self/smaps")?.readDataToEndOfFile() ?? Data()
        var bytes = 0
        var isOurs = false
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            // A mapping begins with its address, in lower case.
            if line.first.map({ $0.isHexDigit && !$0.isUppercase }) == true {
                isOurs = line.contains(folder("n")) && line.hasSuffix(".vectors")
            }
            if isOurs, line.hasPrefix("Rss:") { bytes += (Int(line.split(separator: " ")[1]) ?? 0) << 10 }
        }
        return bytes
    }

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
}
