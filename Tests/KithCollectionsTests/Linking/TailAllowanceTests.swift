import KithCollections
import KithCore
import Testing

/// The tail that searches can afford becomes shorter as they become more and vectors larger, but never too short to be linked well.
@Suite struct TailAllowanceTests {
    private let allowance = TailAllowance(share: 0.25)

    @Test func anyWhereNobodySearches() {
        #expect(allowance.vectors(stride: 1_536, searchesPerSecond: 0) >= Int(CollectionDefinition.defaultTailVectors))
        #expect(allowance.vectors(stride: 1_536, searchesPerSecond: 1) >= Int(CollectionDefinition.defaultTailVectors))
    }

    @Test func shorterTheMoreIsSearched() {
        let some = allowance.vectors(stride: 1_536, searchesPerSecond: 500)
        let many = allowance.vectors(stride: 1_536, searchesPerSecond: 1_000)
        #expect((some - 2 * many).magnitude <= 1 && many > TailAllowance.fewest)
        #expect((allowance.vectors(stride: 3_072, searchesPerSecond: 500) - many).magnitude <= 1)
    }

    @Test(arguments: [1e5, 1e9, .greatestFiniteMagnitude, .infinity])
    func neverTooShort(_ perSecond: Double) {
        #expect(allowance.vectors(stride: 1_536, searchesPerSecond: perSecond) == TailAllowance.fewest)
    }
}
