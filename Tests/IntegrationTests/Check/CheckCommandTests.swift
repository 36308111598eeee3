import Foundation
import TestSupport
import Testing

/// `kith check` as operators run it.
@Suite struct CheckCommandTests {
    private func check(_ words: [String]) throws -> (status: Int32, output: String) {
        let process = try ChildProcess(TestEnvironment.binary, ["check"] + words)
        return (process.wait(), process.output)
    }

    @Test func tellsWholeFromDamagedAndRepairs() throws {
        let server = try ServerProcess()
        try server.connection.create("docs", [Make.space(dimension: 2, metric: "L2")])
        for first in stride(from: 0, to: 2_000, by: 500) {
            let points = (first..<first + 500).map { Make.point($0, [Float($0), 1]) }
            try server.connection.call(
                .upsert, ["collection": "docs", "points": .list(points), "durability": "DURABILITY_INDEXED"])
        }
        let running = try check([server.dataFolder])
        #expect(running.status == 1 && running.output.contains("open already"), "\(running.output)")
        #expect(server.terminate() == 0)

        let whole = try check([server.dataFolder])
        #expect(whole.status == 0 && whole.output.contains("whole"), "\(whole.output)")
        #expect(whole.output.contains("docs/0: position 4, 2000 points"), "\(whole.output)")

        let checkpoint = "\(server.dataFolder)/collections/1/0/0/checkpoint"
        try Data("no checkpoint".utf8).write(to: URL(filePath: checkpoint))
        let damaged = try check([server.dataFolder])
        #expect(damaged.status == 1 && damaged.output.contains("DAMAGED  docs/0/space ''/checkpoint"), "\(damaged.output)")
        let repaired = try check([server.dataFolder, "--repair"])
        #expect(repaired.status == 0, "\(repaired.output)")
        #expect(try check([server.dataFolder]).status == 0)
        try server.restart()
        #expect(try server.connection.count("docs") == 2_000)
    }

    @Test func wrongFoldersAreRefused() throws {
        #expect(try check(["/nowhere/at/all"]).status == 1)
        #expect(try check([]).status == 2)
        #expect(try check(["a", "b"]).status == 2)
    }
}
