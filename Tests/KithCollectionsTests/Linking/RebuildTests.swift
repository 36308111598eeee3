import KithCollections
import KithCore
import KithIndex
import KithTelemetry
import TestSupport
import Testing

/// An index is made anew, or another in its place, while searches and writes go on.
@Suite struct RebuildTests {
    private static let dimension = 8
    private static let points: UInt64 = 2_000
    /// Points that are never changed.
    private static let stable: UInt64 = 500

    private static let indexes = [
        IndexDefinition(kind: "ivf_flat", parameters: ["lists": "16", "train_at": "256"]), IndexDefinition(kind: "flat"),
        IndexDefinition(kind: "disk_graph"), IndexDefinition(kind: "graph", parameters: ["degree": "16", "codes": "sq4"]),
        IndexDefinition(kind: "ivf_rabitq", parameters: ["lists": "16", "train_at": "256"]),
        IndexDefinition(kind: "graph", parameters: ["degree": "24"]),
    ]

    private let folder = TemporaryFolder()

    private static func vector(_ number: UInt64, round: Int = 0) -> [Float] {
        var random = SeededGenerator(seed: number &+ UInt64(round) << 32)
        return random.vector(dimension)
    }

    private func fill(_ collection: KithCollections.Collection, _ count: UInt64 = points) async throws {
        for first in stride(from: 0, to: count, by: 500) {
            let request = WriteRequest()
            for id in first..<first + 500 { request.upsert(id, RebuildTests.vector(id)) }
            try await collection.commit(request, durability: .indexed)
        }
    }

    private func isServed(_ index: IndexDefinition, by collection: KithCollections.Collection) -> Bool {
        eventually {
            let maintenance = collection.maintenance(space: 0)
            return maintenance.serving == index && maintenance.reason == nil
        }
    }

    private func change(_ node: Node, to index: IndexDefinition) throws {
        _ = try node.catalogue.update("c", etag: "") { $0.spaces[0].index = index }
    }

    // MARK: Beside writes and searches

    @Test func anyKindTakesThePlaceOfAnyOtherUnderWritesAndSearches() async throws {
        let node = try Node.open(folder("n"))
        let collection = try node.make("c", kind: "graph", dimension: RebuildTests.dimension) { $0.shardCount = 2 }
        try await fill(collection)
        let isDone = Gate()
        let living = try await withThrowingTaskGroup(of: [UInt64: Int].self) { group in
            group.addTask { try await write(collection, until: isDone) }
            group.addTask {
                try await search(collection, until: isDone)
                return [:]
            }
            for index in RebuildTests.indexes {
                try change(node, to: index)
                #expect(isServed(index, by: collection))
            }
            isDone.set(true)
            return try await group.reduce(into: [:]) { $0.merge($1) { one, _ in one } }
        }
        #expect(node.metrics.indexRebuilds.current("definition") == UInt64(2 * RebuildTests.indexes.count))
        for (id, round) in living {
            let found = try collection.nearest(RebuildTests.vector(id, round: round), 1) { $0.exact = true }
            #expect(found.points.first?.id == .number(id))
        }
        #expect(collection.pointCount == UInt64(living.count) + RebuildTests.stable)
        node.close()
        let report = try DataFolderCheck(folder("n")).run()
        #expect(report.problems.isEmpty, "\(report.problems)")
    }

    /// Replaces and deletes points, each found as soon as its write is acknowledged; the rounds of those that are left.
    private func write(_ collection: KithCollections.Collection, until isDone: Gate) async throws -> [UInt64: Int] {
        var living: [UInt64: Int] = [:]
        for id in RebuildTests.stable..<RebuildTests.points { living[id] = 0 }
        var random = SeededGenerator(seed: 7)
        var round = 0
        while !isDone.isOpen {
            round += 1
            let request = WriteRequest()
            let first = RebuildTests.stable + UInt64(random.below(Int(RebuildTests.points - RebuildTests.stable)))
            for id in first..<min(first + 20, RebuildTests.points) {
                if random.chance(20) {
                    request.delete(id)
                    living[id] = nil
                } else {
                    request.upsert(id, RebuildTests.vector(id, round: round))
                    living[id] = round
                }
            }
            // Not faster than linking for long: on a machine that is busy with other tests no index would ever catch up.
            try await collection.commit(request, durability: round % 4 == 0 ? .indexed : .durable)
            if let written = living[first] {
                let found = try collection.nearest(RebuildTests.vector(first, round: written), 1) { $0.exact = true }
                #expect(found.points.first?.id == .number(first))
            }
        }
        return living
    }

    /// Searches that must be right whatever serves them.
    private func search(_ collection: KithCollections.Collection, until isDone: Gate) async throws {
        var random = SeededGenerator(seed: 8)
        while !isDone.isOpen {
            let id = UInt64(random.below(Int(RebuildTests.stable)))
            let query = RebuildTests.vector(id)
            let exact = try collection.nearest(query, 1) { $0.exact = true }
            #expect(exact.points.first?.id == .number(id) && exact.points.first?.score == 0)
            let found = try collection.nearest(query, 10).points
            #expect(found.count == 10 && Set(found.map(\.id)).count == 10)
            #expect(found.map(\.score) == found.map(\.score).sorted())
            await Task.yield()
        }
    }

    // MARK: Asked for, paused, given up

    private func openGated(_ gate: Gate) throws -> Node {
        try Node.open(folder("n")) {
            $0.registry = IndexRegistry([FlatIndexMaker(), GraphIndexMaker.inMemory, GatedIndexMaker(gate: gate)])
            $0.upkeepMilliseconds = 5
        }
    }

    private static let gated = IndexDefinition(kind: "gated")

    @Test func whatWasNotDoneGoesOnAfterARestart() async throws {
        let gate = Gate()
        do {
            let node = try openGated(gate)
            let collection = try node.make("c", kind: "flat", dimension: RebuildTests.dimension)
            try await fill(collection, 500)
            try change(node, to: RebuildTests.gated)
            node.close()
        }
        let node = folder.hold(try openGated(gate))
        let collection = try node.catalogue.collection("c")
        let maintenance = collection.maintenance(space: 0)
        #expect(maintenance.state == .rebuilding && maintenance.reason == .definition && maintenance.startedAt != nil)
        #expect(maintenance.serving.kind == "flat" && maintenance.rowsDone == 0 && maintenance.rowsTotal == 500)
        #expect(eventually { node.metrics.indexRebuildsRunning.current == 1 })
        #expect(node.metrics.indexRebuildRowsLeft.current == 500)
        gate.set(true)
        #expect(isServed(RebuildTests.gated, by: collection))
        #expect(eventually { node.metrics.indexRebuildsRunning.current == 0 })
    }

    @Test func aRebuildIsTheOneThatRunsAndIsGivenUpWhenTheDefinitionComesBack() async throws {
        let gate = Gate()
        let node = folder.hold(try openGated(gate))
        let collection = try node.make("c", kind: "flat", dimension: RebuildTests.dimension)
        try await fill(collection, 500)
        collection.rebuildIndex(space: 0)
        #expect(isServed(IndexDefinition(kind: "flat"), by: collection))
        #expect(node.metrics.indexRebuilds.current("requested") == 1)
        try change(node, to: RebuildTests.gated)
        let begun = collection.maintenance(space: 0)
        collection.rebuildIndex(space: 0)
        #expect(collection.maintenance(space: 0).startedAt == begun.startedAt)
        #expect(collection.maintenance(space: 0).reason == .definition)
        try change(node, to: IndexDefinition(kind: "flat"))
        #expect(collection.maintenance(space: 0).state == .idle)
        #expect(try collection.nearest(RebuildTests.vector(9), 1).points.first?.id == .number(9))
    }

    @Test func aPauseHoldsAndIsRemembered() async throws {
        let gate = Gate()
        gate.set(true)
        do {
            let node = try openGated(gate)
            let collection = try node.make("c", kind: "graph", dimension: RebuildTests.dimension)
            try await fill(collection, 500)
            _ = try node.catalogue.setMaintenancePaused(true, of: "c")
            try change(node, to: RebuildTests.gated)
            collection.rebuildIndex(space: 0)
            // That these are linked tells that the linker has come by.
            try await fill(collection, 1_000)
            let maintenance = collection.maintenance(space: 0)
            #expect(maintenance.state == .paused && maintenance.reason == .definition && maintenance.rowsDone == 0)
            #expect(maintenance.serving.kind == "graph")
            node.close()
        }
        let node = folder.hold(try openGated(gate))
        let collection = try node.catalogue.collection("c")
        // Opened from its checkpoint as what it is, not as what it is to be.
        #expect(collection.maintenance(space: 0).serving.kind == "graph" && collection.stats.spaces[0].linkedVectors == 1_500)
        try await fill(collection, 500)
        #expect(eventually { node.metrics.maintenancePaused.current == 1 })
        #expect(collection.maintenance(space: 0).state == .paused)
        #expect(try collection.nearest(RebuildTests.vector(9), 1).points.first?.id == .number(9))
        let resumed = try node.catalogue.setMaintenancePaused(false, of: "c")
        #expect(try node.catalogue.setMaintenancePaused(false, of: "c").revision == resumed.revision)
        #expect(isServed(RebuildTests.gated, by: collection))
        #expect(collection.maintenance(space: 0).state == .idle)
    }

    @Test func whatOnlySaysHowToSearchNeedsNoRebuild() async throws {
        func comparisons(_ collection: KithCollections.Collection, effort: Int? = nil) -> Int {
            var search = VectorSearch(space: 0, query: .vector(.empty), topK: 1)
            search.effort = effort
            return collection.expectedComparisons(search)
        }
        do {
            let node = try Node.open(folder("n"))
            let collection = try node.make("c", kind: "graph", dimension: RebuildTests.dimension)
            try await fill(collection)
            for window in [1, 16] {
                let index = IndexDefinition(kind: "graph", parameters: ["search_window": "\(window)"])
                try change(node, to: index)
                let maintenance = collection.maintenance(space: 0)
                #expect(maintenance.serving == index && maintenance.reason == nil)
                #expect(comparisons(collection) == comparisons(collection, effort: window))
            }
            #expect(comparisons(collection) > comparisons(collection, effort: 1))
            node.close()
        }
        let node = folder.hold(try Node.open(folder("n")))
        let collection = try node.catalogue.collection("c")
        #expect(collection.maintenance(space: 0).reason == nil)
        #expect(comparisons(collection) == comparisons(collection, effort: 16))
        try change(node, to: IndexDefinition(kind: "graph", parameters: ["search_window": "16", "degree": "16"]))
        #expect(collection.maintenance(space: 0).reason == .definition)
    }

    /// An index that cannot be made.
    private struct FailingMaker: VectorIndexMaker {
        let kind = "failing"
        func check(_ space: VectorSpace) throws(KithError) {}
        func sectionCapacities(_ space: VectorSpace) -> [String: Int] { [:] }
        func make(_ context: IndexContext) throws(KithError) -> any VectorIndex {
            throw KithError(.resourceExhausted, .storageFailure, "there is no room")
        }
        func restore(_ context: IndexContext, from checkpoint: RestoredCheckpoint) throws(KithError) -> any VectorIndex {
            try make(context)
        }
    }

    @Test func aRebuildThatFailsLeavesWhatServes() async throws {
        let node = folder.hold(try Node.open(folder("n")) { $0.registry = IndexRegistry([FlatIndexMaker(), FailingMaker()]) })
        let collection = try node.make("c", kind: "flat", dimension: RebuildTests.dimension)
        try await fill(collection, 500)
        try change(node, to: IndexDefinition(kind: "failing"))
        #expect(eventually { node.metrics.indexRebuildFailures.current != 0 })
        #expect(collection.maintenance(space: 0).state == .rebuilding)
        #expect(try collection.nearest(RebuildTests.vector(9), 1).points.first?.id == .number(9))
        try change(node, to: IndexDefinition(kind: "flat"))
        #expect(collection.maintenance(space: 0).state == .idle)
    }
}
