import KithCollections
import Testing

/// Searches a second, by a clock that the test holds.
@Suite struct SearchRateTests {
    private let start = ContinuousClock.now

    @Test func noneAtFirst() {
        let rate = SearchRate(at: start)
        #expect(rate.perSecond(at: start) == 0 && rate.perSecond(at: start + .seconds(3600)) == 0)
    }

    @Test func countedByWholeWindows() {
        let rate = SearchRate(at: start)
        for _ in 0..<500 { rate.note() }
        #expect(rate.perSecond(at: start + SearchRate.window / 2) == 0)
        #expect(rate.perSecond(at: start + SearchRate.window) == 500)
        for _ in 0..<300 { rate.note() }
        #expect(rate.perSecond(at: start + SearchRate.window * 1.5) == 500)
        #expect(rate.perSecond(at: start + SearchRate.window * 3) == 150)
        #expect(rate.perSecond(at: start + SearchRate.window * 4) == 0)
    }
}
