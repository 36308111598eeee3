import KithCollections
import KithTelemetry
import Testing

/// Searches are recent for one window after they were last seen to be more.
@Suite struct RecentSearchesTests {
    private let metrics = Metrics()
    private let start = ContinuousClock.now
    private let moment = Duration.milliseconds(1)

    @Test func noneAreAtFirstAndEarlierOnesDoNotCount() {
        metrics.searches.add(3)
        let searches = RecentSearches(metrics)
        #expect(!searches.areGoingOn(at: start))
        #expect(!searches.areGoingOn(at: start + RecentSearches.window))
    }

    @Test func oneIsRecentForAWindow() {
        let searches = RecentSearches(metrics)
        metrics.searches.add()
        #expect(searches.areGoingOn(at: start))
        #expect(searches.areGoingOn(at: start + RecentSearches.window - moment))
        #expect(!searches.areGoingOn(at: start + RecentSearches.window))
    }

    @Test func anotherBeginsTheWindowAnew() {
        let searches = RecentSearches(metrics)
        metrics.searches.add()
        #expect(searches.areGoingOn(at: start))
        metrics.searches.add()
        let later = start + RecentSearches.window - moment
        #expect(searches.areGoingOn(at: later))
        #expect(searches.areGoingOn(at: later + RecentSearches.window - moment))
        #expect(!searches.areGoingOn(at: later + RecentSearches.window))
    }

    @Test func oneAfterALongPauseIsRecentWhenItIsSeen() {
        let searches = RecentSearches(metrics)
        #expect(!searches.areGoingOn(at: start))
        metrics.searches.add()
        #expect(searches.areGoingOn(at: start + .seconds(3600)))
    }
}
