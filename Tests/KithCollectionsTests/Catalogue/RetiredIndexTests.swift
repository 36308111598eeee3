import KithCollections
import KithCore
import KithIndex
import Testing

/// A folder of an earlier release, whose kind of index is no more.
@Suite struct RetiredIndexTests {
    /// What such a release knew by that name; how it searched does not matter.
    private struct OldMaker: VectorIndexMaker {
        let kind = "hnsw"
        func check(_ space: VectorSpace) throws(KithError) {}
        func sectionCapacities(_ space: VectorSpace) -> [String: Int] { [:] }
        func make(_ context: IndexContext) throws(KithError) -> any VectorIndex { try FlatIndex(context) }
        func restore(_ context: IndexContext, from checkpoint: RestoredCheckpoint) throws(KithError) -> any VectorIndex {
            try make(context)
        }
    }

    private let folder = TemporaryFolder()

    @Test(arguments: [
        ([:], [:]),
        (
            ["m": "24", "ef_construction": "128", "ef_search": "40"],
            ["degree": "48", "construction_window": "128", "search_window": "40"]
        ),
        (
            ["m": "2", "ef_construction": "4", "metric": "chebyshev"],
            ["degree": "8", "construction_window": "16", "metric": "chebyshev"]
        ),
        (["m": "100", "ef_search": "many"], ["degree": "128"]),
    ])
    func aLayeredGraphOpensAsAGraph(_ old: [String: String], _ new: [String: String]) async throws {
        do {
            let node = try Node.open(folder("n")) { $0.registry = IndexRegistry([OldMaker()]) }
            let collection = try node.make("c", kind: "hnsw") {
                $0.spaces[0].index.parameters = old.filter { $0.key != "metric" }
                $0.spaces[0].index.parameters["metric"] = old["metric"]
            }
            let request = WriteRequest()
            for id in UInt64(0)..<100 { request.upsert(id, [Float(id), 0, 0, 0]) }
            try await collection.commit(request)
            node.close()
        }
        for _ in 0..<2 {
            let node = try Node.open(folder("n"))
            let collection = try node.catalogue.collection("c")
            #expect(collection.definition.spaces[0].index == IndexDefinition(kind: "graph", parameters: new))
            #expect(collection.maintenance(space: 0).serving.kind == "graph")
            #expect(try collection.nearest([7, 0, 0, 0], 1).points.first?.id == .number(7))
            node.close()
        }
    }
}
