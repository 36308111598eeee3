import KithEvents
import Testing

struct IdlenessTests {
    private let start = ContinuousClock.now
    private func time(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

    @Test func nothingIsKnownBeforeTwoLooks() {
        var idleness = TwoProcessors(idle: [0.5, 1.5]).idleness
        #expect(idleness.spareProcessors(since: start, at: time(0)) == nil)
        #expect(idleness.spareProcessors(since: start, at: time(10)) == nil, "too soon to look again")
        #expect(idleness.spareProcessors(since: start, at: time(60)) == 0.5)
        #expect(idleness.spareProcessors(since: start, at: time(70)) == 0.5)
        #expect(idleness.spareProcessors(since: start, at: time(120)) == 1.5)
    }

    @Test func aWindowThatBeganBeforeIsNotAsked() {
        var idleness = TwoProcessors(idle: [1.5, 0.25]).idleness
        _ = idleness.spareProcessors(since: start, at: time(0))
        #expect(idleness.spareProcessors(since: time(20), at: time(60)) == nil)
        #expect(idleness.spareProcessors(since: time(20), at: time(120)) == 0.25)
    }

    @Test func aMachineThatDoesNotTellHasTime() {
        var idleness = Idleness(processors: 2) { nil }
        #expect(idleness.spareProcessors(since: start, at: time(0)) == .infinity)
    }
}
