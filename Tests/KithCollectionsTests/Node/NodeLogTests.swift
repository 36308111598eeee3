import KithCollections
import KithCore
import Testing

/// What the node's own log says of the catalogue.
@Suite struct NodeLogTests {
    /// Facts as texts: what happened, and what it was about.
    private struct Describer: CatalogueDescriber, GovernanceDescriber {
        func fact(_ change: CatalogueChange) throws(KithError) -> Fact {
            let subject =
                switch change.after ?? change.before {
                case .collection(let definition): "collection \(definition.name) \(definition.revision)"
                case .vectorSpace(let space): "space \(space.name)"
                case .index(let index): "index \(index.kind)"
                case .alias(let name, let collection): "alias \(name) of \(collection.name)"
                case nil: "?"
                }
            return Fact(
                .catalogue, type: "\(change.operation)", key: change.collection.name, subject: subject,
                body: OwnedBytes([]))
        }

        func lineage(_ change: CatalogueChange, at time: Int64) throws(KithError) -> Fact? { nil }

        func fact(_ event: GovernanceEvent) throws(KithError) -> Fact {
            Fact(.governance, type: "\(event)", key: "", subject: "", body: OwnedBytes([]))
        }

        func systemContext(_ name: String) throws(KithError) -> OwnedBytes { OwnedBytes([]) }
    }

    private let folder = TemporaryFolder()

    private func open() throws -> Node {
        var configuration = Node.Configuration(dataDirectory: folder("n"))
        configuration.changeLogBytes = 2_000
        configuration.upkeepMilliseconds = 5
        return try Node(configuration, describer: Describer())
    }

    private func commits(_ node: Node) throws -> [[String]] {
        var all: [[String]] = []
        _ = try node.log.forEachCommit(after: 0) { (commit, _) throws(KithError) in
            #expect(commit.changes.isEmpty && commit.time > 0)
            all.append(commit.facts.map { "\($0.type.text) \($0.subject.text)" })
            return true
        }
        return all
    }

    @Test func everyChangeOfTheCatalogueIsACommit() throws {
        var node: Node? = try open()
        let context = OwnedBytes(Array("who".utf8))
        do {
            let catalogue = try #require(node).catalogue
            let space = VectorSpace(name: "", dimension: 4, index: IndexDefinition(kind: "flat"))
            _ = try catalogue.create(CollectionDefinition(name: "a", spaces: [space]), context: context)
            _ = try catalogue.create(CollectionDefinition(name: "x", spaces: [space]), validateOnly: true)
            _ = try catalogue.update("a", etag: "") { $0.description = "new" }
            #expect(throws: KithError.self) { try catalogue.update("a", etag: "no") { $0.description = "never" } }
            _ = try catalogue.update("a", etag: "") { $0.spaces[0].index = IndexDefinition(kind: "graph") }
            try catalogue.updateAliases([.assign(alias: "b", collection: "a"), .assign(alias: "c", collection: "a")])
            try catalogue.updateAliases([.remove(alias: "c")])
        }
        node?.close()
        node = nil
        let reopened = folder.hold(try open())
        try reopened.catalogue.delete("a", etag: "")
        #expect(
            try commits(reopened) == [
                ["create collection a 1", "create space ", "create index flat"], ["update collection a 2"],
                ["update collection a 3", "update index graph"],
                ["create alias b of a", "create alias c of a"], ["delete alias c of a"],
                ["delete alias b of a", "delete index graph", "delete space ", "delete collection a 3"],
            ])
        _ = try reopened.log.forEachCommit(after: 0) { (commit, _) throws(KithError) in
            #expect(commit.context.text == (commit.position == 1 ? "who" : ""))
            return true
        }
    }

    @Test func itIsTrimmedBehindItsReader() async throws {
        let node = folder.hold(try open())
        _ = try node.catalogue.create(CollectionDefinition(name: "a", spaces: []))
        try node.log.saveCursor("reader", at: 0)
        for number in 0..<20 { _ = try node.catalogue.update("a", etag: "") { $0.description = "\(number)" } }
        #expect(node.log.firstPosition == 1)
        try node.log.saveCursor("reader", at: 19)
        while node.log.firstPosition < 20 { await Task.yield() }
        #expect(throws: KithError.self) { try node.log.forEachCommit(after: 18) { _, _ in true } }
        #expect(try node.log.forEachCommit(after: 19) { _, _ in true } == 21)
    }
}
