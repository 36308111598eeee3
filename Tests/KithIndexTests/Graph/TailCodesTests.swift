import KithCore
import KithIndex
import Testing

/// What waits to be linked is found exactly, although codes are scanned and not rows.
@Suite struct TailCodesTests {
    /// Rows of several kinds; those of few values are rounded all in one direction, which is the worst for codes.
    private static func vector(_ test: TestRows, _ number: Int) -> [Float] {
        switch number % 4 {
        case 0: test.randomVector()
        case 1: (0..<test.space.dimension).map { $0 % 3 == 0 ? 1 : $0 % 3 == 1 ? 0.5 / 255 : 0 }.shuffled(using: &test.random)
        case 2: [Float](repeating: Float(number % 7) - 3, count: test.space.dimension)
        default: test.near([Float](repeating: 1, count: test.space.dimension))
        }
    }

    @Test(
        "a tail is searched exactly, with and without a filter",
        arguments: [Metric.l2, .cosine, .dot], [ElementType.float32, .float16, .bfloat16])
    func exactness(_ metric: Metric, _ element: ElementType) throws {
        for (seed, dimension) in [3, 33, 64, 200].enumerated() {
            let test = try TestRows(.test(dimension, element, metric), capacity: 3_000, seed: UInt64(seed))
            let index = try test.makeIndex()
            for number in 0..<2_000 { test.append(TailCodesTests.vector(test, number)) }
            // Encodes everything, and links the first.
            #expect(try index.link(upTo: test.count, limit: 10) == 10)
            // These come after, and are not encoded yet.
            for number in 0..<300 { test.append(TailCodesTests.vector(test, number)) }
            for slot: UInt32 in [0, 11, 500, 501, 2_200] { test.deaths.kill(slot, at: 1) }
            let filter = SlotFilter((0..<test.count).filter { $0 % 3 != 1 })
            for number in 0..<40 {
                let query = test.query(TailCodesTests.vector(test, number))
                let all = try test.sorted(query, in: test.snapshot())
                let found = try index.search(IndexQuery(vector: query, topK: 10), in: test.snapshot())
                #expect(found == Array(all.prefix(10)), "dimension \(dimension), query \(number)")
                let filtered = try index.search(IndexQuery(vector: query, topK: 10, filter: filter), in: test.snapshot())
                #expect(filtered == Array(all.filter { filter.contains($0.slot) }.prefix(10)))
            }
        }
    }

    @Test("places are used again and again, and not while a search may need them")
    func wrappingAround() throws {
        let test = try TestRows(.test(4), capacity: 60_000)
        let index = try test.makeIndex()
        for _ in 0..<12 {
            test.appendRandom(5_000)
            // Links less than comes: the tail outgrows the ring.
            _ = try index.link(upTo: test.count, limit: 2_500)
            let tail = index.linkedCount..<test.count
            for _ in 0..<10 {
                let query = test.randomQuery()
                let expected = try test.sorted(query, in: test.snapshot()).prefix(10).filter { tail.contains($0.slot) }
                let found = try index.search(IndexQuery(vector: query, topK: 10), in: test.snapshot())
                #expect(expected.allSatisfy(found.contains))
            }
        }
    }
}
