import KithCore
import KithEvents
import KithTelemetry
import Testing

/// When lanes rest, and for whom.
struct RelayPaceTests {
    private let metrics = Metrics()
    private let start = ContinuousClock.now
    /// More than anybody gives way for.
    private let much = 4 * Limits.relayPaceNeed

    init() { metrics.changeLogLimit.set(1_000) }

    private func time(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

    private func pace(idle: Double) -> RelayPace {
        RelayPace(metrics: metrics, idleness: TwoProcessors(idle: [idle]).idleness)
    }

    @Test func littleIsPublishedAtOnce() {
        #expect(pace(idle: 0).rest(ofLane: 0, needing: Limits.relayPaceNeed / 2, at: time(0)) == nil)
        #expect(pace(idle: 0).rest(ofLane: 0, needing: 0, at: time(0)) == nil)
    }

    @Test func muchWaitsUntilProcessorsAreKnownToBeSpare() throws {
        let pace = pace(idle: 1)
        let rest = try #require(pace.rest(ofLane: 0, needing: much, at: time(0)))
        #expect(rest.share == Limits.relayPaceShare && rest.processors == much * Limits.relayPaceProcessors)
        #expect(!pace.areSpare(rest.processors, since: time(1), at: time(20)))
        #expect(!pace.areSpare(rest.processors, since: time(1), at: time(60)), "that window began before the rest")
        #expect(!pace.areSpare(1.1, since: time(1), at: time(120)))
        #expect(pace.areSpare(1, since: time(1), at: time(120)))
        #expect(pace.rest(ofLane: 0, needing: much, at: time(130)) == nil, "there were enough")
        #expect(pace.rest(ofLane: 0, needing: much, at: time(190)) == nil, "some are left over while it works")
        #expect(pace.rest(ofLane: 0, needing: much, at: time(5_000)) != nil, "that was long ago")
    }

    @Test func whatIsSpareWhileALaneRestsIsNotLeftOverWhileItWorks() {
        let pace = pace(idle: 0.5)
        #expect(pace.rest(ofLane: 0, needing: much, at: time(0)) != nil)
        for moment in stride(from: 10, through: 500, by: 10) { #expect(!pace.areSpare(1, since: time(0), at: time(moment))) }
        #expect(pace.rest(ofLane: 0, needing: much, at: time(520)) != nil)
        #expect(pace.rest(ofLane: 0, needing: much, at: time(560)) == nil, "it worked, and some were left over")
    }

    @Test func busyProcessorsAreLeftToWriters() throws {
        let pace = pace(idle: 0)
        for moment in stride(from: 0, to: 1_000, by: 100) {
            #expect(pace.rest(ofLane: 0, needing: much, at: time(moment)) != nil)
            #expect(!pace.areSpare(0.1, since: time(0), at: time(moment)))
        }
    }

    @Test func lanesShareWhatTheyAreLeft() throws {
        let pace = pace(idle: 0)
        _ = pace.rest(ofLane: 0, needing: much, at: time(0))
        let second = try #require(pace.rest(ofLane: 1, needing: 3 * much, at: time(10)))
        #expect(abs(second.share - Limits.relayPaceShare * 0.75) < 1e-9)
        // A lane that has been silent needs nothing.
        let alone = try #require(pace.rest(ofLane: 1, needing: much, at: time(5_000)))
        #expect(alone.share == Limits.relayPaceShare)
    }

    @Test func nothingWaitsForTooLong() {
        metrics.relayOldestSeconds.set(Limits.relayPaceSeconds)
        #expect(pace(idle: 0).rest(ofLane: 0, needing: much, at: time(0)) == nil)
    }

    @Test func nothingWaitsWhereTheLogFills() {
        metrics.changeLogBytes.set(500)
        #expect(pace(idle: 0).rest(ofLane: 0, needing: much, at: time(0)) == nil)
    }
}
