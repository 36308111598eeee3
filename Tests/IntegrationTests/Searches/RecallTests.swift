import Foundation
import TestSupport
import Testing

/// What a server tells of the recall of its searches, and what a search that names one gets.
@Suite("Recall", .serverOutput)
struct RecallTests {
    private static let dimension = 16
    private static let points = 12_000

    private let server: ServerProcess
    private var connection: Connection { server.connection }

    init() throws { server = try ServerProcess(["--log-level", "warning"]) }

    private func fill(_ kind: String) throws {
        var space = Make.space(dimension: Self.dimension, metric: "L2")
        space["index"] = ["kind": "\(kind)"]
        try connection.create("docs", [space])
        var random = SeededGenerator(seed: 51)
        for first in stride(from: 0, to: Self.points, by: 1_000) {
            let points = (first..<first + 1_000).map { Make.point($0, random.floats(Self.dimension)) }
            try connection.upsert("docs", points, ["durability": "DURABILITY_INDEXED"])
        }
    }

    /// Asks until the figures of the space are as wanted.
    private func figures(_ isWanted: (JSON) -> Bool) throws -> JSON {
        let pause = NSCondition()
        while true {
            let space = try connection.call(.getCollectionStats, ["collection": "docs"])["vectorSpaces"][0]
            if isWanted(space) { return space }
            pause.withLock { _ = pause.wait(until: Date(timeIntervalSinceNow: 0.02)) }
        }
    }

    @Test("searches are measured, and what a recall takes", arguments: ["graph", "ivf_flat"])
    func measured(kind: String) throws {
        try fill(kind)
        let calibrated = try figures { !$0["calibrations"].list.isEmpty }
        let calibration = calibrated["calibrations"][0]
        #expect((calibration["queries"].integer ?? 0) >= 64)
        #expect((calibration["linkedVectors"].integer ?? 0) >= 5_000)
        let efforts = calibration["efforts"].list.compactMap { $0["effort"].double }
        #expect(efforts.count == 4 && efforts == efforts.sorted() && (efforts.first ?? 0) >= 1)
        #expect(calibrated["measuredRecall"]["queries"].integer == nil)

        var random = SeededGenerator(seed: 52)
        for _ in 0..<400 {
            let vector = Make.vector(random.floats(Self.dimension))
            _ = try connection.search("docs", vector, ["parameters": ["recallTarget": 0.9]])
        }
        let measured = try figures { ($0["measuredRecall"]["queries"].integer ?? 0) >= 40 }["measuredRecall"]
        #expect((measured["value"].double ?? 0) > 0.8)
        #expect((measured["standardError"].double ?? 1) < 0.1)
        #expect(measured["measuredAt"].string != nil)
    }
}
