import Foundation
import KithCollections
import KithCore
import KithTelemetry
import TestSupport
import Testing

/// What searches are measured to miss has consequences.
@Suite struct RecallWatchTests {
    private static let points: UInt64 = 6_000
    private static let recall: Float = 0.9

    private let folder = TemporaryFolder()

    /// Of a ring, a little thick.
    private func ofTheRing(_ random: inout SeededGenerator) -> [Float] {
        let angle = Float.random(in: 0..<2 * .pi, using: &random)
        let radius = 1 + Float.random(in: -0.01...0.01, using: &random)
        return [radius * cos(angle), radius * sin(angle), 0, 0]
    }

    /// All of the ring is about as far from there, and what is nearest is in any list.
    private func ofTheMiddle(_ random: inout SeededGenerator) -> [Float] {
        [Float.random(in: -1e-4...1e-4, using: &random), Float.random(in: -1e-4...1e-4, using: &random), 0, 0]
    }

    @Test("an index is made anew when searches are measured to find less than they name, and not while they find it")
    func aMissIsMeasuredAndMended() async throws {
        let node = folder.hold(try Node.open(folder("n")) { $0.upkeepMilliseconds = 5 })
        let collection = try node.make("c", kind: "ivf_flat") {
            $0.spaces[0].index.parameters = ["train_at": "5000", "lists": "64"]
        }
        var random = SeededGenerator(seed: 81)
        for first in stride(from: 0, to: Self.points, by: 500) {
            let request = WriteRequest()
            for id in first..<first + 500 { request.upsert(id, ofTheRing(&random)) }
            try await collection.commit(request)
        }
        // What a recall takes is known, by vectors like those of the index.
        #expect(
            eventually {
                let space = collection.stats.spaces[0]
                return space.linkedVectors == Int(Self.points) && !space.calibrations.isEmpty
            })
        func search(_ query: (inout SeededGenerator) -> [Float], until isEnough: () -> Bool) throws -> Bool {
            try eventually {
                for _ in 0..<100 { _ = try collection.nearest(query(&random), 10) { $0.recallTarget = Self.recall } }
                return isEnough()
            }
        }
        func missing() -> Float? { collection.maintenanceFigures(space: 0)[0]?.missingRecall }

        #expect(missing() == nil)
        #expect(try search(ofTheRing) { missing() != nil })
        #expect(try #require(missing()) < 0.01)
        #expect(node.metrics.indexRebuilds.current("recall") == 0)

        #expect(try search(ofTheMiddle) { node.metrics.indexRebuilds.current("recall") > 0 })
        #expect(eventually { collection.maintenance(space: 0).state == .idle })
        // It is as good as it can be: the same queries are no reason any more.
        #expect(collection.maintenanceFigures(space: 0)[0]?.addedSinceMade == 0)
        #expect(try search(ofTheMiddle) { missing() ?? 0 > 0.01 })
        #expect(collection.maintenance(space: 0).reason == nil && node.metrics.indexRebuilds.current("recall") == 1)
    }
}
