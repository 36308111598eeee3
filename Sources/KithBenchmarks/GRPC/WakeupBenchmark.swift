import Glibc
import KithCore

/// How late the machine wakes a thread: no server that waits for calls answers sooner.
enum WakeupBenchmark {
    static let description = Benchmark(
        name: "wakeups", summary: "How late a timer wakes a sleeping thread: the floor of latencies on this machine",
        options: [("period LIST", "microseconds from one wakeup to the next (100,1000)"), Run.secondsOption], run: run)

    private static func run(_ run: Run) throws(KithError) {
        var table = ResultTable("wakeups", "Wakeups of a thread by a timer, nothing else running")
        for period in try run.options.list("period", [100, 1_000]) {
            let stolen = StolenTime.seconds
            let seconds = try run.seconds()
            var late = latenesses(every: UInt64(max(period, 1)) * 1_000, for: seconds)
            late.sort()
            func quantile(_ share: Double) -> Cell { .decimal(late[Int(share * Double(late.count - 1))], places: 0) }
            table.add([
                "period_us": .count(period), "late_p50_us": quantile(0.5), "late_p99_us": quantile(0.99),
                "late_p999_us": quantile(0.999), "late_max_us": quantile(1),
                "stolen_cores": .decimal((StolenTime.seconds - stolen) / seconds, places: 2),
            ])
        }
        run.report.add(table)
    }

    /// Microseconds from when each wakeup was due until the thread ran. Those due while it was late count too.
    private static func latenesses(every period: UInt64, for seconds: Double) -> [Double] {
        var late: [Double] = []
        let begin = now()
        let count = max(1, UInt64(max(seconds, 0) * 1e9) / period)
        for number in 1...count {
            let due = begin + number * period
            var time = timespec(tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
            while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
            late.append(Double(now() - due) / 1_000)
        }
        return late
    }

    /// Nanoseconds of the clock that timers go by.
    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
