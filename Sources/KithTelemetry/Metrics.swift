import Synchronization

/// A number that only grows.
public final class Counter: Sendable {
    private let value = Atomic<UInt64>(0)

    public init() {}

    public func add(_ amount: Int = 1) { value.wrappingAdd(UInt64(amount), ordering: .relaxed) }
    public var current: UInt64 { value.load(ordering: .relaxed) }
}

/// A number that goes up and down.
public final class Gauge: Sendable {
    private let value = Atomic<Int>(0)

    public func set(_ new: Int) { value.store(new, ordering: .relaxed) }
    public func add(_ amount: Int) { value.wrappingAdd(amount, ordering: .relaxed) }
    public var current: Int { value.load(ordering: .relaxed) }
}

/// Durations in buckets, each twice as wide as the one before: 1 us, 2 us ... about 1 s and more.
public final class DurationHistogram: Sendable {
    public static let bucketCount = 21
    private let buckets: [Counter] = (0...DurationHistogram.bucketCount).map { _ in Counter() }
    private let sumNanoseconds = Counter()

    public func record(nanoseconds: UInt64) {
        let microseconds = max((nanoseconds + 999) / 1_000, 1)
        let bucket = min(64 - (microseconds - 1).leadingZeroBitCount, DurationHistogram.bucketCount)
        buckets[bucket].add()
        sumNanoseconds.add(Int(clamping: nanoseconds))
    }

    /// Prometheus text of this histogram.
    func render(_ name: String, _ labels: String) -> String {
        var lines = ""
        var total: UInt64 = 0
        let separator = labels.isEmpty ? "" : ","
        for (index, bucket) in buckets.enumerated() {
            total += bucket.current
            let bound = index == DurationHistogram.bucketCount ? "+Inf" : "\(Double(1 << index) / 1e6)"
            lines += "\(name)_bucket{\(labels)\(separator)le=\"\(bound)\"} \(total)\n"
        }
        let braces = labels.isEmpty ? "" : "{\(labels)}"
        lines += "\(name)_sum\(braces) \(Double(sumNanoseconds.current) / 1e9)\n"
        lines += "\(name)_count\(braces) \(total)\n"
        return lines
    }
}

/// Every metric of the process, by name: the only place that names one.
public final class Metrics: Sendable {
    public let searches = Counter()
    public let searchErrors = Counter()
    public let searchDuration = DurationHistogram()
    public let writes = Counter()
    public let writeErrors = Counter()
    public let operations = Counter()
    public let commits = Counter()
    public let groups = Counter()
    public let commitDuration = DurationHistogram()
    public let linkedVectors = Counter()
    public let tailVectors = Gauge()
    public let checkpoints = Counter()
    public let changeLogBytes = Gauge()
    public let changeLogLimit = Gauge()
    public let changeLogRefusals = Counter()
    public let publishedEvents = Counter()
    public let publishedBytes = Counter()
    public let publishErrors = Counter()
    public let relayLag = Gauge()
    public let webhookEvents = Counter()
    public let webhookAttempts = Counter()
    public let webhookFailures = Counter()
    public let webhookDeadLetters = Counter()
    public let webhookMissedCommits = Counter()
    public let webhooksStopped = Gauge()
    public let webhookLag = Gauge()
    public let webhookDuration = DurationHistogram()
    public let relayWaitingEvents = Gauge()
    public let relayWaitingBytes = Gauge()
    public let relayOldestSeconds = Gauge()
    public let relayFailingShards = Gauge()
    public let lostCommits = Counter()
    public let openStreams = Gauge()

    public init() {}

    /// Prometheus text format 0.0.4.
    public func render() -> String {
        var text = ""
        func counter(_ name: String, _ help: String, _ counter: Counter) {
            text += "# HELP \(name) \(help)\n# TYPE \(name) counter\n\(name) \(counter.current)\n"
        }
        func gauge(_ name: String, _ help: String, _ gauge: Gauge) {
            text += "# HELP \(name) \(help)\n# TYPE \(name) gauge\n\(name) \(gauge.current)\n"
        }
        func histogram(_ name: String, _ help: String, _ histogram: DurationHistogram) {
            text += "# HELP \(name) \(help)\n# TYPE \(name) histogram\n" + histogram.render(name, "")
        }
        counter("kith_searches_total", "Searches answered.", searches)
        counter("kith_search_errors_total", "Searches refused or failed.", searchErrors)
        histogram("kith_search_duration_seconds", "Time of a search in the engine.", searchDuration)
        counter("kith_writes_total", "Write requests committed.", writes)
        counter("kith_write_errors_total", "Write requests refused or failed.", writeErrors)
        counter("kith_operations_total", "Operations committed.", operations)
        counter("kith_commits_total", "Commits.", commits)
        counter("kith_commit_groups_total", "Groups of commits that shared one batch.", groups)
        histogram("kith_commit_duration_seconds", "Time to commit a group.", commitDuration)
        counter("kith_linked_vectors_total", "Vectors linked into indexes.", linkedVectors)
        gauge("kith_tail_vectors", "Vectors waiting to be linked.", tailVectors)
        counter("kith_checkpoints_total", "Index checkpoints written.", checkpoints)
        gauge("kith_change_log_bytes", "Bytes of the change log.", changeLogBytes)
        gauge("kith_change_log_limit_bytes", "The limit of them (change-log-bytes).", changeLogLimit)
        counter("kith_change_log_refusals_total", "Writes refused because the change log is full.", changeLogRefusals)
        counter("kith_published_events_total", "Change events acknowledged by Kafka.", publishedEvents)
        counter("kith_published_bytes_total", "Bytes of them.", publishedBytes)
        counter("kith_publish_errors_total", "Produce errors.", publishErrors)
        gauge("kith_relay_lag_commits", "Commits not yet acknowledged by Kafka.", relayLag)
        counter("kith_webhook_events_total", "Change events taken by webhooks' endpoints.", webhookEvents)
        counter("kith_webhook_attempts_total", "Requests to webhooks' endpoints.", webhookAttempts)
        counter("kith_webhook_failures_total", "Requests that were not answered with 2xx.", webhookFailures)
        counter("kith_webhook_dead_letters_total", "Events given up after the last attempt.", webhookDeadLetters)
        counter("kith_webhook_missed_commits_total", "Commits that the log lost before a webhook had them.", webhookMissedCommits)
        gauge("kith_webhooks_stopped", "Webhooks that are paused or disabled.", webhooksStopped)
        gauge("kith_webhook_lag_commits", "Commits that webhooks have still to deliver.", webhookLag)
        histogram("kith_webhook_duration_seconds", "Time of a request to an endpoint.", webhookDuration)
        gauge("kith_relay_waiting_events", "Events in them.", relayWaitingEvents)
        gauge("kith_relay_waiting_bytes", "Bytes of change log they take.", relayWaitingBytes)
        gauge("kith_relay_oldest_seconds", "Age of the oldest of them.", relayOldestSeconds)
        gauge("kith_relay_failing_shards", "Shards whose relay stands still and tries again.", relayFailingShards)
        counter("kith_lost_commits_total", "Commits trimmed before Kafka had them; GAP events name them.", lostCommits)
        gauge("kith_open_streams", "Open streams.", openStreams)
        return text
    }
}
