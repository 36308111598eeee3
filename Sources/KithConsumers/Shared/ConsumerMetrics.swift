import KithCommands
package import KithCore
package import KithTelemetry

/// What a consumer counts.
package final class ConsumerMetrics: Sendable {
    package let records = Counter()
    package let commits = Counter()
    package let duplicates = Counter()
    package let deadLetters = Counter()
    package let sinkFailures = Counter()
    package let brokerTroubles = Counter()
    package let violations = Counter()

    package init() {}

    /// Prometheus text format 0.0.4.
    package func render() -> String {
        let all = [
            ("records", "Records whose offsets are in the sink.", records),
            ("commits", "Batches committed to the sink.", commits),
            ("duplicates", "Events passed over because the sink has them.", duplicates),
            ("dead_letters", "Records that can never be done.", deadLetters),
            ("sink_failures", "Attempts on the sink that failed.", sinkFailures),
            ("broker_troubles", "Errors of Kafka that pass by themselves.", brokerTroubles),
            ("violations", "Violations of policies found.", violations),
        ]
        return all.map { name, help, counter in
            "# HELP kith_consumer_\(name)_total \(help)\n# TYPE kith_consumer_\(name)_total counter\n"
                + "kith_consumer_\(name)_total \(counter.current)\n"
        }.joined()
    }

    /// Writes them where a node exporter's textfile collector finds them.
    package func write(to path: String) throws(KithError) { try Files.replace(path, with: render()) }
}
