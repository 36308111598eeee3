import Synchronization

/// Durations in buckets, each twice as wide as the one before: 1 us, 2 us ... about 1 s and more. Any thread may record.
public final class DurationHistogram: Instrument {
    private static let bucketCount = 21

    private final class Tally: Sendable {
        let value = Atomic<UInt64>(0)
    }

    private let name: String
    private let help: String
    private let buckets = (0...bucketCount).map { _ in Tally() }
    private let sumNanoseconds = Atomic<UInt64>(0)

    /// - Parameter name: as Prometheus has it, ending in `_seconds`.
    public init(_ name: String, _ help: String) {
        self.name = name
        self.help = help
    }

    /// Counts one duration, or several that are alike.
    public func record(nanoseconds: UInt64, times: Int = 1) {
        let microseconds = max((nanoseconds + 999) / 1_000, 1)
        let bucket = min(64 - (microseconds - 1).leadingZeroBitCount, DurationHistogram.bucketCount)
        buckets[bucket].value.wrappingAdd(UInt64(times), ordering: .relaxed)
        sumNanoseconds.wrappingAdd(nanoseconds * UInt64(times), ordering: .relaxed)
    }

    public func render() -> String {
        var lines = renderHead(name, help: help, type: "histogram")
        var total: UInt64 = 0
        for (index, bucket) in buckets.enumerated() {
            total += bucket.value.load(ordering: .relaxed)
            let bound = index == DurationHistogram.bucketCount ? "+Inf" : "\(Double(1 << index) / 1e6)"
            lines += "\(name)_bucket{le=\"\(bound)\"} \(total)\n"
        }
        lines += "\(name)_sum \(Double(sumNanoseconds.load(ordering: .relaxed)) / 1e9)\n"
        return lines + "\(name)_count \(total)\n"
    }
}
