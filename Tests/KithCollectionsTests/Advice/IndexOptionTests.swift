import KithCollections
import KithCore
import KithIndex
import Testing

@Suite struct IndexOptionTests {
    private let space = VectorSpace(name: "", dimension: 48, metric: .cosine)

    private func sample(_ count: Int) throws -> VectorSample {
        let sample = try VectorSample(space, capacity: count)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<count {
            let vector = (0..<48).map { _ in Float.random(in: -1...1, using: &random) }
            try sample.append(vector.withUnsafeBytes { Array($0) })
        }
        return sample
    }

    @Test("what is predicted is what an index takes")
    func predictions() throws {
        let vectors = 3_000
        let rows = try GrowableMemory(capacity: vectors * space.stride)
        let deaths = try GrowableMemory(capacity: vectors * 8)
        for option in IndexOption.candidates(space, vectors: vectors) {
            var space = space
            space.index = option.definition
            let maker = option.definition.kind == "graph" ? GraphIndexMaker.inMemory : .onDisk
            let context = IndexContext(
                space: space, rows: VectorRows(base: UnsafeRawPointer(rows.base), stride: space.stride),
                deaths: SlotDeaths(base: deaths.base.assumingMemoryBound(to: UInt64.self)))
            let index = try #require(maker.make(context) as? GraphIndex)
            while index.linkedCount < UInt32(vectors) { _ = try index.link(upTo: UInt32(vectors), limit: vectors) }
            let prediction = try maker.predict(space, vectors: vectors)
            #expect(prediction.footprint.memoryBytes == index.footprint.memoryBytes)
            let saved = index.checkpoint().sections.map(\.bytes.count).reduce(0, +)
            // Packed links take no more than full lists would.
            let least = option.definition.kind == "graph" ? prediction.checkpointBytes : 0
            #expect((least...prediction.checkpointBytes).contains(saved))
        }
    }

    @Test("the more memory, the more of an index is in it")
    func fits() throws {
        let option = try #require(IndexOption.candidates(space, vectors: 1_000_000).last)
        #expect(option.definition.kind == "disk_graph")
        let all = option.memoryBytes + option.linkBytes + option.vectorBytes
        #expect(option.fit(memory: all) == .everything)
        #expect(option.fit(memory: all - 1) == .codesAndLinks)
        #expect(option.fit(memory: option.memoryBytes) == .codes)
        #expect(option.fit(memory: option.memoryBytes - 1) == .nothing)
    }

    @Test("a trial measures the effort that the recall needs")
    func trial() throws {
        let trial = try IndexTrial(sample(3_000))
        let definition = IndexDefinition(kind: "disk_graph", parameters: ["codes": "sq4"])
        let low = try trial.measure(definition, recall: 0.5)
        let high = try trial.measure(definition, recall: 0.97)
        #expect(low.recall >= 0.5)
        #expect(high.recall >= 0.97)
        #expect(high.effort > low.effort)
        #expect(high.searchesPerSecond > 0)
    }
}
