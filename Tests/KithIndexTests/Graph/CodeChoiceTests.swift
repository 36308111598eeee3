import KithCore
import KithIndex
import Testing

/// Graphs that may choose their codes choose by their first vectors, once.
@Suite struct CodeChoiceTests {
    private static let dimension = 320

    /// Vectors around centres, as near to them as `spread` says.
    private func rows(
        spread: Float, count: Int, _ codes: String = "auto", dimension: Int = Self.dimension, of element: ElementType = .float32
    ) throws -> TestRows {
        let rows = try TestRows(.test(dimension, element, .l2, ["codes": codes]), capacity: 6_000)
        let centres = (0..<32).map { _ in (0..<dimension).map { _ in rows.random.component(.float32) } }
        for number in 0..<count {
            let vector = centres[number % centres.count].map { $0 + spread * rows.random.component(.float32) }
            rows.append(element == .uint8 ? vector.map { min(max(0, (127 + 80 * $0).rounded()), 255) } : vector)
        }
        return rows
    }

    private func code(_ index: any VectorIndex) -> UInt64? { index.checkpoint().attributes["code"] }

    private func linked(_ rows: TestRows) throws -> any VectorIndex {
        let index = try rows.makeIndex()
        try index.linkAll(upTo: rows.count)
        return index
    }

    @Test(
        "coarse codes are chosen where they tell neighbours apart",
        arguments: [
            (Float(0.5), "sq4", ElementType.float32), (0.02, "sq8", .float32), (0.5, "sq4", .uint8), (0.02, "full", .uint8),
        ])
    func choice(spread: Float, codes: String, element: ElementType) throws {
        let rows = try rows(spread: spread, count: 4_000, of: element)
        let index = try linked(rows)
        let expected = try code(linked(self.rows(spread: spread, count: 300, codes, of: element)))
        #expect(code(index) == expected)
        #expect(index.linkedCount == rows.count)
        try (index as? any CheckableIndex)?.checkInvariants()
        let recall = try rows.recall(index, queries: 100) { number in rows.rows.row(UInt32(number * 39)) }
        #expect(recall >= 0.8)
    }

    @Test func nothingIsChosenWhereLittleIsSaved() throws {
        let index = try linked(rows(spread: 0.5, count: 3_000, dimension: 64))
        #expect(try code(index) == code(linked(rows(spread: 0.5, count: 300, "sq8", dimension: 64))))
    }

    @Test func whatWasChosenStays() throws {
        let rows = try rows(spread: 0.5, count: 3_000)
        let index = try linked(rows)
        let chosen = code(index)
        // Later vectors would have been judged otherwise.
        let centre = rows.randomVector()
        for _ in 0..<1_500 { rows.append(centre.map { $0 + 0.001 * rows.random.component(.float32) }) }
        let restored = try rows.restore(rows.reread(index.checkpoint()))
        try restored.linkAll(upTo: rows.count)
        #expect(code(restored) == chosen)
        #expect(restored.linkedCount == rows.count)
    }

    @Test func aGraphTooSmallToChooseDoesSoAfterARestart() throws {
        let rows = try rows(spread: 0.5, count: 3_000)
        let index = try rows.makeIndex()
        while index.linkedCount < 500 { _ = try index.link(upTo: 500, limit: 500) }
        let restored = try rows.restore(rows.reread(index.checkpoint()))
        try restored.linkAll(upTo: rows.count)
        #expect(code(restored) != code(index))
    }
}
