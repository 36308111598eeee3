import Foundation
import TestSupport
import Testing

/// What budgets for memory do, as clients and operators see it.
@Suite("Memory budgets", .serverOutput)
struct MemoryBudgetTests {
    private static let dimension = 1_024
    private static let points = 4_000
    private static let vectorBytes = Double(points * dimension * MemoryLayout<Float>.size)

    private func vector(_ number: Int) -> [Float] { [Float](repeating: Float(number), count: MemoryBudgetTests.dimension) }

    private func fill(_ server: ServerProcess, kind: String, _ more: [String: JSON] = [:]) throws {
        let space = Make.space(dimension: MemoryBudgetTests.dimension, metric: "L2", index: kind)
        try server.connection.create("docs", [space], shards: 1, more)
        for first in stride(from: 0, to: MemoryBudgetTests.points, by: 1_000) {
            let points = (first..<first + 1_000).map { number in
                Make.point(Make.id(number), [Make.vector(bytes: vector(number).withUnsafeBytes { Array($0) })])
            }
            try server.connection.upsert("docs", points, ["durability": "DURABILITY_INDEXED"])
        }
    }

    private func figures(_ server: ServerProcess) throws -> JSON {
        try server.connection.call(.getCollectionStats, ["collection": "docs"])["vectorSpaces"][0]
    }

    private func wait(until condition: () throws -> Bool) throws {
        let deadline = Date(timeIntervalSinceNow: 120)
        let pause = NSCondition()
        while try !condition() {
            try #require(Date() < deadline, "not within two minutes")
            pause.withLock { _ = pause.wait(until: Date(timeIntervalSinceNow: 0.02)) }
        }
    }

    /// Exact, so that every vector is looked at.
    private func findAll(_ server: ServerProcess) throws {
        for number in [0, 1_234, MemoryBudgetTests.points - 1] {
            let found = try server.connection.search(
                "docs", Make.vector(vector(number)), ["topK": 1, "parameters": ["exact": true]])
            #expect(found.map { $0["id"] } == [["number": .number(number)]])
        }
    }

    @Test("a collection's is kept from the start, and what is changed is obeyed", arguments: ["graph", "disk_graph"])
    func ofACollection(_ kind: String) throws {
        let server = try ServerProcess(["--log-level", "warning"])
        try fill(server, kind: kind, ["memoryBudgetBytes": "1"])
        #expect(try server.connection.call(.getCollection, ["name": "docs"])["memoryBudgetBytes"].integer == 1)
        try wait { try figures(server)["mappedBytes"].integer == 0 }
        let read = try #require(figures(server)["readBytes"].double)
        #expect(read >= MemoryBudgetTests.vectorBytes)
        try findAll(server)

        for (budget, isMapped) in [(1 << 30, true), (1, false), (0, true)] {
            try server.connection.call(
                .updateCollection,
                [
                    "collection": ["name": "docs", "memoryBudgetBytes": .number(budget)], "updateMask": "memoryBudgetBytes",
                ])
            try wait { try figures(server)[isMapped ? "readBytes" : "mappedBytes"].integer == 0 }
            #expect(try figures(server)[isMapped ? "mappedBytes" : "readBytes"].double == read)
            try findAll(server)
        }
        #expect(server.terminate() == 0)
    }

    @Test("the node's is obeyed by what was written before it was set")
    func ofTheNode() throws {
        let arguments = ["--log-level", "warning", "--metrics-listen", "127.0.0.1:0"]
        let folder = try TemporaryFolder()
        func serve(_ budget: Int, _ body: (ServerProcess) throws -> Void) throws {
            let server = try ServerProcess(
                arguments + ["--memory-budget-bytes", "\(budget)"], data: folder("data"))
            #expect(try server.metrics()["kith_memory_budget_bytes"] == Double(budget))
            try body(server)
            #expect(server.terminate() == 0)
        }
        let roomy = 1 << 40
        try serve(roomy) { server in
            try fill(server, kind: "flat")
            try wait {
                try findAll(server)
                return try server.metrics()["kith_tiered_resident_bytes"] ?? 0 >= MemoryBudgetTests.vectorBytes
            }
            #expect(try figures(server)["readBytes"].integer == 0)
        }
        // Less than the process takes without any vector.
        try serve(1 << 20) { server in
            try findAll(server)
            try wait {
                let metrics = try server.metrics()
                return metrics["kith_tiered_resident_bytes"] ?? .infinity < MemoryBudgetTests.vectorBytes / 4
                    && metrics["kith_index_memory_bytes"] ?? 0 > 0
            }
            #expect(try figures(server)["mappedBytes"].integer == 0)
            try findAll(server)
        }
    }
}
