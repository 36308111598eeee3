import KithTelemetry
import Testing

@Suite struct MetricsTests {
    @Test func aHistogramCountsEachDurationInTheSmallestBucketThatHoldsIt() {
        let metrics = Metrics()
        for nanoseconds: UInt64 in [1, 1_000, 1_001, 2_000, 1_048_576_000, 5_000_000_000] {
            metrics.searchDuration.record(nanoseconds: nanoseconds)
        }
        let text = metrics.render()
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("kith_search_duration_seconds") }
        #expect(lines.first == "kith_search_duration_seconds_bucket{le=\"1e-06\"} 2")
        #expect(lines.contains("kith_search_duration_seconds_bucket{le=\"2e-06\"} 4"))
        #expect(lines.contains("kith_search_duration_seconds_bucket{le=\"1.048576\"} 5"))
        #expect(lines.contains("kith_search_duration_seconds_bucket{le=\"+Inf\"} 6"))
        #expect(lines.contains("kith_search_duration_seconds_count 6"))
    }

    @Test func everyMetricHasANameOfItsOwnHelpAndType() {
        let metrics = Metrics()
        let lines = metrics.render().split(separator: "\n")
        let named = lines.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
        #expect(named.count == Mirror(reflecting: metrics).children.count)
        #expect(Set(named).count == named.count && named.allSatisfy { $0.hasPrefix("kith_") })
        #expect(lines.filter { $0.hasPrefix("# HELP ") }.map { $0.split(separator: " ")[2] } == named)
    }

    @Test func countersAndGaugesAddUpOverThreads() async {
        let metrics = Metrics()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        metrics.writes.add()
                        metrics.openStreams.add(1)
                        metrics.openStreams.add(-1)
                    }
                }
            }
        }
        #expect(metrics.writes.current == 8_000)
        #expect(metrics.openStreams.current == 0)
    }
}
