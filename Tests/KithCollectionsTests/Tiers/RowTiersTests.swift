import KithCollections
import KithCore
import KithTelemetry
import TestSupport
import Testing

/// What searches use is what is in memory.
@Suite struct RowTiersTests {
    /// So many that a segment holds but a thousand vectors.
    private static let dimension = 16_384
    private static let vectorsPerSegment = Limits.segmentBytes / (dimension * MemoryLayout<Float>.size)
    private static let segments = 3

    private let folder = TemporaryFolder()

    /// Far from those of other segments.
    private func vector(segment: Int, _ random: inout SeededGenerator) -> [Float] {
        var vector = [Float](repeating: 0, count: Self.dimension)
        for component in 0..<64 { vector[component] = Float.random(in: -1...1, using: &random) }
        vector[64 + segment] = 100
        return vector
    }

    private func fill(_ collection: KithCollections.Collection) async throws {
        var random = SeededGenerator(seed: 61)
        let count = Self.segments * Self.vectorsPerSegment
        for first in stride(from: 0, to: count, by: 128) {
            let request = WriteRequest()
            for number in first..<first + 128 {
                request.upsert(UInt64(number), vector(segment: number / Self.vectorsPerSegment, &random))
            }
            try await collection.commit(request, durability: .indexed)
        }
    }

    @Test("the segment that is searched comes into memory, and the one that is no longer goes")
    func followsSearches() async throws {
        let node = folder.hold(try Node.open(folder("n")) { $0.memoryRoundMilliseconds = 5 })
        let collection = try node.make("films", kind: "graph", dimension: Self.dimension) {
            $0.memoryBudgetBytes = 1
            $0.spaces[0].index.parameters = ["degree": "8", "construction_window": "16", "codes": "sq8"]
        }
        try await fill(collection)
        let space = collection.stats.spaces[0]
        #expect(space.mappedBytes == 0 && space.readBytes == Self.segments * Limits.segmentBytes)
        // Room for one of them.
        _ = try node.catalogue.update("films", etag: "") {
            $0.memoryBudgetBytes = space.memoryBytes + Limits.segmentBytes * 3 / 2
        }
        var random = SeededGenerator(seed: 62)
        for hot in [2, 1, 0, 2] {
            let before = (node.metrics.tierPromotions.current, node.metrics.tierDemotions.current)
            let isThere = try eventually {
                for _ in 0..<20 {
                    let found = try collection.nearest(vector(segment: hot, &random), 5) {
                        $0.effort = 8
                        // What is compared to measure recall is everything, and no use.
                        $0.indexedOnly = true
                    }
                    #expect(found.points.count == 5)
                }
                return resident() == [hot] && collection.stats.spaces[0].mappedBytes == Limits.segmentBytes
            }
            #expect(isThere, "segment \(hot)")
            #expect(eventually { node.metrics.tierPromotions.current > before.0 })
            #expect(eventually { node.metrics.tierDemotions.current > before.1 || hot == 2 })
        }
    }

    /// The segments of which any vector is in memory.
    private func resident() -> [Int] {
        let bytes = residentVectorBytes(below: folder("n"))
        return bytes.keys.sorted().enumerated().filter { bytes[$1] ?? 0 > 0 }.map(\.offset)
    }
}
