import Foundation
import TestSupport
import Testing

/// Indexes are changed and made anew over the wire, and by the command line, whatever happens meanwhile.
@Suite("Index changes", .serverOutput)
struct IndexChangeTests {
    private static let dimension = 16
    private static let points = 4_000

    private let server: ServerProcess
    private var connection: Connection { server.connection }

    init() throws { server = try ServerProcess(["--log-level", "warning"]) }

    private static func vector(_ number: Int) -> [Float] {
        var random = SeededGenerator(seed: UInt64(number))
        return random.floats(dimension)
    }

    private func fill() throws {
        try connection.create("docs", [Make.space(dimension: IndexChangeTests.dimension, metric: "L2")], shards: 2)
        for first in stride(from: 0, to: IndexChangeTests.points, by: 500) {
            let points = (first..<first + 500).map { Make.point($0, IndexChangeTests.vector($0)) }
            try connection.upsert("docs", points, ["durability": "DURABILITY_INDEXED"])
        }
    }

    private func maintenance(_ connection: Connection? = nil) throws -> JSON {
        let stats = try (connection ?? self.connection).call(.getCollectionStats, ["collection": "docs"])
        return stats["vectorSpaces"][0]["indexMaintenance"]
    }

    /// Waits until nothing is under way.
    private func settled() throws -> JSON {
        var last = try maintenance()
        let pause = NSCondition()
        while last["state"] != "STATE_IDLE" {
            pause.withLock { _ = pause.wait(until: Date(timeIntervalSinceNow: 0.01)) }
            last = try maintenance()
        }
        return last
    }

    private func change(_ index: JSON) throws -> JSON {
        try connection.call(
            .updateCollection,
            ["collection": ["name": "docs", "vectorSpaces": [["index": index]]], "updateMask": "vectorSpaces"])
    }

    /// Every point is there, and found by its own vector.
    private func check(_ random: inout SeededGenerator) throws {
        #expect(try connection.count("docs") == UInt64(IndexChangeTests.points))
        for _ in 0..<20 {
            let number = Int.random(in: 0..<IndexChangeTests.points, using: &random)
            let query = Make.vector(IndexChangeTests.vector(number))
            let exact = try connection.search("docs", query, ["topK": 1, "parameters": ["exact": true]])
            #expect(exact.first?["id"] == Make.id(number) && exact.first?["score"].double == 0)
            #expect(try connection.search("docs", query, ["topK": 10]).count == 10)
        }
    }

    @Test func aKillAmidARebuildLeavesTheOldOrTheNew() throws {
        var random = SeededGenerator(seed: 11)
        try fill()
        let indexes: [JSON] = [
            ["kind": "ivf_flat", "parameters": ["lists": "16", "train_at": "256"]], ["kind": "flat"], ["kind": "disk_graph"],
            ["kind": "ivf_pq", "parameters": ["lists": "16", "train_at": "256"]],
            ["kind": "graph", "parameters": ["degree": "48", "codes": "sq4"]],
        ]
        for index in indexes {
            let changed = try change(index)
            #expect(changed["vectorSpaces"][0]["index"]["kind"] == index["kind"])
            #expect(changed["vectorSpaces"][0]["dimension"].integer == UInt64(IndexChangeTests.dimension))
            for _ in 0..<2 {
                try server.restartAndKill(
                    at: .disk, number: Int.random(in: 1...120, using: &random), isTaken: Bool.random(using: &random)
                ) { try maintenance($0)["serving"]["kind"] == index["kind"] }
            }
            try server.restart()
            try check(&random)
            #expect(try settled()["serving"]["kind"] == index["kind"])
            try check(&random)
            server.kill()
            let process = try ChildProcess(TestEnvironment.binary, ["check", server.dataFolder])
            #expect(process.wait() == 0, "\(process.output)")
            try server.restart()
            #expect(try maintenance()["serving"]["kind"] == index["kind"])
        }
        #expect(server.terminate() == 0)
    }

    @Test func whatIsAskedForTwiceIsDoneOnceAndAPauseHolds() throws {
        try fill()
        let paused = try connection.call(.pauseIndexMaintenance, ["collection": "docs"])
        #expect(paused["indexMaintenancePaused"] == true)
        #expect(try connection.call(.pauseIndexMaintenance, ["collection": "docs"])["etag"] == paused["etag"])
        let first = try connection.call(.rebuildIndex, ["collection": "docs"])
        let second = try connection.call(.rebuildIndex, ["collection": "docs", "vectorSpace": ""])
        #expect(first["state"] == "STATE_PAUSED" && first["reason"] == "REASON_REQUESTED")
        #expect(second["startedAt"] == first["startedAt"] && second["rowsTotal"].integer == UInt64(IndexChangeTests.points))
        // Fresh vectors are linked all the same.
        try connection.upsert(
            "docs", [Make.point(1, IndexChangeTests.vector(1))], ["durability": "DURABILITY_INDEXED"])
        #expect(try maintenance()["startedAt"] == first["startedAt"])
        let resumed = try connection.call(.resumeIndexMaintenance, ["collection": "docs"])
        #expect(resumed["indexMaintenancePaused"] == false)
        #expect(try settled()["reason"] == "REASON_UNSPECIFIED")
    }

    @Test func theCommandLineDoesItToo() throws {
        try fill()
        func run(_ words: [String]) throws -> String {
            let process = try ChildProcess(
                TestEnvironment.binary, ["collections"] + words + ["--address", server.address])
            #expect(process.wait() == 0, "\(process.output)")
            return process.output
        }
        #expect(try run(["pause", "docs"]).contains("paused docs"))
        _ = try run(["index", "docs", "--index", "graph", "--index-parameter", "degree=40"])
        #expect(try run(["progress", "docs"]).contains("paused (definition): 0 of 4,000 rows"))
        #expect(try run(["rebuild", "docs"]).contains("paused (definition)"))
        _ = try run(["resume", "docs"])
        #expect(try settled()["serving"]["parameters"]["degree"] == "40")
        #expect(try run(["progress", "docs"]).contains("idle: 4,000 of 4,000 rows"))
    }
}
