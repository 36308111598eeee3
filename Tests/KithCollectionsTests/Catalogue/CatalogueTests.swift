import KithCollections
import KithCore
import KithStorage
import KithTelemetry
import Testing

@Suite struct CatalogueTests {
    private let folder = TemporaryFolder()

    private func reason(_ body: () throws -> Void) -> ErrorReason? {
        do { try body() } catch { return (error as? KithError)?.reason }
        return nil
    }

    private static func definition(_ name: String) -> CollectionDefinition {
        CollectionDefinition(
            name: name, spaces: [VectorSpace(name: "", dimension: 4, index: IndexDefinition(kind: "flat"))])
    }

    @Test func collectionsAreMadeFoundChangedAndDeleted() throws {
        var node: Node? = try Node.open(folder("n"))
        let made = try #require(node).catalogue.create(CatalogueTests.definition("a"))
        #expect(made.id == 1 && made.revision == 1 && made.createdAt > 0 && made.etag == "1-1")
        #expect(reason { _ = try node?.catalogue.create(CatalogueTests.definition("a")) } == .collectionExists)
        #expect(reason { _ = try node?.catalogue.update("a", etag: "1-9") { $0.description = "x" } } == .etagMismatch)
        let changed = try #require(node).catalogue.update("a", etag: made.etag) { definition throws(KithError) in
            definition.description = "x"
            definition.labels = ["k": "v"]
        }
        #expect(changed.revision == 2 && changed.etag == "1-2")
        _ = try node?.catalogue.create(CatalogueTests.definition("b"))
        node?.close()
        node = nil
        node = try Node.open(folder("n"))
        let catalogue = try #require(node).catalogue
        #expect(catalogue.all.map(\.definition.name) == ["a", "b"])
        #expect(try catalogue.collection("a").definition == changed)
        #expect(reason { try catalogue.delete("a", etag: "1-1") } == .etagMismatch)
        try catalogue.delete("a", etag: "")
        #expect(reason { _ = try catalogue.collection("a") } == .collectionNotFound)
        #expect(reason { try catalogue.delete("a", etag: "") } == .collectionNotFound)
        #expect(try Directory.names(in: folder("n") + "/collections") == ["2"])
        // A name may come back; an id never does.
        #expect(try catalogue.create(CatalogueTests.definition("a")).id == 3)
    }

    @Test func onlyWhatMayChangeChanges() throws {
        let node = try Node.open(folder("n"))
        _ = try node.make("c")
        let changes: [(inout CollectionDefinition) -> Void] = [
            { $0.name = "other" }, { $0.id = 9 }, { $0.shardCount = 2 }, { $0.spaces[0].dimension = 5 }, { $0.createdAt = 0 },
            { $0.spaces[0].metric = .dot }, { $0.spaces[0].element = .float16 }, { $0.spaces[0].name = "other" },
            { $0.spaces.append($0.spaces[0]) },
        ]
        for change in changes {
            #expect(reason { _ = try node.catalogue.update("c", etag: "") { change(&$0) } } == .immutableField)
        }
        let indexes = [IndexDefinition(kind: "nothing"), IndexDefinition(kind: "graph", parameters: ["degree": "1"])]
        for (index, expected) in zip(indexes, [ErrorReason.unknownIndexKind, .invalidIndexParameter]) {
            #expect(reason { _ = try node.catalogue.update("c", etag: "") { $0.spaces[0].index = index } } == expected)
        }
        #expect(try node.catalogue.collection("c").definition.revision == 1)
    }

    @Test func validatingMakesNothing() throws {
        let node = try Node.open(folder("n"))
        _ = try node.catalogue.create(CatalogueTests.definition("c"), validateOnly: true)
        #expect(node.catalogue.all.isEmpty)
        #expect(try Directory.names(in: folder("n") + "/collections").isEmpty)
    }

    @Test func aliasesStandForCollections() throws {
        var node: Node? = try Node.open(folder("n"))
        var catalogue: Catalogue! = try #require(node).catalogue
        let a = try catalogue.create(CatalogueTests.definition("a"))
        let b = try catalogue.create(CatalogueTests.definition("b"))
        try catalogue.updateAliases([.assign(alias: "now", collection: "a"), .assign(alias: "then", collection: "b")])
        #expect(try catalogue.collection("now").definition.id == a.id)
        // Both at once, or neither.
        #expect(
            reason {
                try catalogue.updateAliases([.assign(alias: "now", collection: "b"), .remove(alias: "nothing")])
            } == .aliasNotFound)
        #expect(try catalogue.collection("now").definition.id == a.id)
        #expect(
            reason { try catalogue.updateAliases([.remove(alias: "now"), .remove(alias: "now")]) } == .aliasNotFound)
        try catalogue.updateAliases([.remove(alias: "then"), .assign(alias: "now", collection: "b")])
        #expect(catalogue.aliases(of: b.id) == ["now"])
        #expect(reason { _ = try catalogue.collection("then") } == .collectionNotFound)
        #expect(reason { try catalogue.updateAliases([.assign(alias: "a", collection: "b")]) } == .collectionExists)
        #expect(reason { try catalogue.updateAliases([.assign(alias: "x", collection: "now")]) } == .collectionNotFound)
        #expect(reason { _ = try catalogue.create(CatalogueTests.definition("now")) } == .collectionExists)
        catalogue = nil
        node?.close()
        node = nil
        node = try Node.open(folder("n"))
        #expect(try #require(node).catalogue.collection("now").definition.id == b.id)
        try node?.catalogue.delete("b", etag: "")
        #expect(reason { _ = try node?.catalogue.collection("now") } == .collectionNotFound)
    }

    @Test(arguments: ["", "-a", ".a", "a b", "ä", "a/b", String(repeating: "a", count: Limits.nameBytes + 1)])
    func namesFitTopicsAndFolders(name: String) throws {
        let node = try Node.open(folder("n"))
        let reason = reason { _ = try node.catalogue.create(CatalogueTests.definition(name)) }
        #expect(reason == (name.isEmpty ? .requiredFieldMissing : .invalidName))
    }

    @Test func definitionsKeepToTheirLimits() throws {
        let node = try Node.open(folder("n"))
        let changes: [(ErrorReason, (inout CollectionDefinition) -> Void)] = [
            (.limitExceeded, { $0.shardCount = 0 }),
            (.limitExceeded, { $0.shardCount = Limits.shards + 1 }),
            (.limitExceeded, { $0.description = String(repeating: "x", count: Limits.descriptionBytes + 1) }),
            (.limitExceeded, { $0.labels = ["k": String(repeating: "x", count: Limits.labelBytes + 1)] }),
            (.invalidDimension, { $0.spaces[0].dimension = 0 }),
            (.invalidDimension, { $0.spaces[0].dimension = Limits.dimension + 1 }),
            (.metricMismatch, { $0.spaces[0].metric = .hamming }),
            (.unknownIndexKind, { $0.spaces[0].index.kind = "magic" }),
            (.invalidIndexParameter, { $0.spaces[0].index.parameters = ["degree": "8"] }),
            (.duplicateName, { $0.spaces = [$0.spaces[0], $0.spaces[0]].map { space in named(space, "s") } }),
            (.limitExceeded, { $0.spaces = (0...Limits.vectorSpaces).map { [space = $0.spaces[0]] in named(space, "s\($0)") } }),
        ]
        for (expected, change) in changes {
            var definition = CatalogueTests.definition("c")
            change(&definition)
            #expect(reason { _ = try node.catalogue.create(definition) } == expected)
        }
        #expect(node.catalogue.all.isEmpty)
    }

    @Test func foldersOfNoCollectionAreRemoved() async throws {
        var node: Node? = try Node.open(folder("n"))
        try await node?.make("c").commit(WriteRequest().upsert(1, [1, 2, 3, 4]))
        node?.close()
        node = nil
        try Directory.create(folder("n") + "/collections/7/0/0/vectors")
        try Directory.create(folder("n") + "/collections/stray")
        node = try Node.open(folder("n"))
        #expect(try Directory.names(in: folder("n") + "/collections") == ["1"])
        #expect(try #require(node).catalogue.collection("c").pointCount == 1)
    }

    @Test func aCollectionMayBeDeletedUnderItsUsers() async throws {
        let node = try Node.open(folder("n"))
        let collection = try node.make("c", kind: "graph")
        let answers = Answers<KithCollections.Collection.WriteResult>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<2 {
                group.addTask {
                    for number in 0..<2_000 {
                        let id = UInt64(writer * 10_000 + number)
                        collection.write(WriteRequest().upsert(id, [Float(number), 1, 0, 0])) { answers.add($0) }
                        _ = try collection.nearest([1, 1, 1, 1], 5) { $0.selection = PointSelection(payload: true) }
                        _ = try collection.get([.number(id)], PointSelection(payload: true, spaces: [0]))
                    }
                }
            }
            await answers.wait(for: 100)
            try node.catalogue.delete("c", etag: "")
            try await group.waitForAll()
        }
        await answers.wait(for: 4_000)
        #expect(answers.reasons.isSubset(of: [.shuttingDown]))
        #expect(node.budget.bytes == 0 && node.metrics.tailVectors.current == 0)
        #expect(try Directory.names(in: folder("n") + "/collections").isEmpty)
        // What comes after begins empty.
        #expect(try node.make("c").pointCount == 0)
    }
}

private func named(_ space: VectorSpace, _ name: String) -> VectorSpace {
    var space = space
    space.name = name
    return space
}
