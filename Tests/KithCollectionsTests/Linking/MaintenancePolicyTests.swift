import KithCollections
import KithCore
import KithIndex
import KithTelemetry
import TestSupport
import Testing

/// When an index is made anew though nobody asked.
@Suite struct MaintenancePolicyTests {
    private func figures(
        _ vectors: Int, added: Int = 0, removed: Int = 0, learned: Int? = nil, missing: Float? = nil
    ) -> MaintenanceFigures {
        MaintenanceFigures(
            vectors: vectors, addedSinceMade: added, removedSinceMade: removed, learnedFrom: learned, missingRecall: missing)
    }

    @Test func whatIsWornOutIsMadeAnew() {
        #expect(MaintenancePolicy.decide(figures(10_000, removed: 10_001)) == .removed)
        #expect(MaintenancePolicy.decide(figures(10_000, learned: 2_000)) == .growth)
        #expect(MaintenancePolicy.decide(figures(10_000, added: 2_500, missing: 0.02)) == .recall)
    }

    @Test func whatIsGoodEnoughStays() {
        #expect(MaintenancePolicy.decide(figures(10_000, added: 10_000, removed: 10_000)) == nil)
        #expect(MaintenancePolicy.decide(figures(10_000, learned: 2_500)) == nil)
        #expect(MaintenancePolicy.decide(figures(10_000, added: 10_000, missing: 0.01)) == nil)
        // It would come out as it is.
        #expect(MaintenancePolicy.decide(figures(10_000, added: 2_000, missing: 0.5)) == nil)
        // A scan is as good.
        #expect(MaintenancePolicy.decide(figures(4_999, removed: 50_000, learned: 1, missing: 1)) == nil)
    }

    private let folder = TemporaryFolder()

    private func open() throws -> Node { try Node.open(folder("n")) { $0.upkeepMilliseconds = 5 } }

    private func put(_ collection: KithCollections.Collection, _ ids: Range<UInt64>, seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        for first in stride(from: ids.lowerBound, to: ids.upperBound, by: 500) {
            let request = WriteRequest()
            for id in first..<min(first + 500, ids.upperBound) { request.upsert(id, random.vector(4)) }
            try await collection.commit(request)
        }
    }

    @Test func aCollectionThatWasReplacedIsRebuilt() async throws {
        do {
            let node = try open()
            let collection = try node.make("c", kind: "graph")
            try await put(collection, 0..<5_500, seed: 1)
            try await put(collection, 0..<5_000, seed: 2)
            #expect(eventually { collection.maintenance(space: 0).state == .idle })
            let figures = try #require(collection.maintenanceFigures(space: 0)[0])
            #expect(abs(figures.vectors - 5_500) < 50 && abs(figures.removedSinceMade - 5_000) < 50)
            #expect(node.metrics.indexRebuilds.current("removed") == 0)
            try await put(collection, 0..<5_500, seed: 3)
            #expect(eventually { node.metrics.indexRebuilds.current("removed") == 1 })
            node.close()
        }
        // When it was made is remembered.
        let node = folder.hold(try open())
        let figures = try #require(node.catalogue.collection("c").maintenanceFigures(space: 0)[0])
        // Of 10,500 and 16,000, but for what was written while the linker stood between looking and making.
        #expect(figures.removedSinceMade < 7_000 && figures.addedSinceMade < 7_000)
    }

    @Test func whatWasLearnedFromFewIsLearnedAnew() async throws {
        let node = folder.hold(try open())
        let collection = try node.make("c", kind: "graph") { $0.spaces[0].index.parameters["mahalanobis"] = "learned" }
        try await put(collection, 0..<1_100, seed: 1)
        #expect(eventually { collection.stats.spaces[0].linkedVectors == 1_100 })
        try await put(collection, 1_100..<6_000, seed: 2)
        #expect(eventually { node.metrics.indexRebuilds.current("growth") == 1 })
        #expect(eventually { collection.stats.spaces[0].maintenance.state == .idle })
        #expect(node.metrics.indexRebuilds.current("growth") == 1)
    }
}
