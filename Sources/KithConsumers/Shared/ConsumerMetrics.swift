import KithCommands
package import KithCore
package import KithTelemetry

/// What a consumer counts.
package final class ConsumerMetrics: MetricSet {
    package let records = Counter("kith_consumer_records_total", "Records whose offsets are in the sink.")
    package let commits = Counter("kith_consumer_commits_total", "Batches committed to the sink.")
    package let duplicates = Counter("kith_consumer_duplicates_total", "Events passed over because the sink has them.")
    package let fetched = Counter("kith_consumer_fetched_total", "Events fetched from the server, too large for Kafka.")
    package let deadLetters = Counter("kith_consumer_dead_letters_total", "Records that can never be done.")
    package let sinkFailures = Counter("kith_consumer_sink_failures_total", "Attempts on the sink that failed.")
    package let brokerTroubles = Counter("kith_consumer_broker_troubles_total", "Errors of Kafka that pass by themselves.")
    package let violations = Counter("kith_consumer_violations_total", "Violations of policies found.")

    package init() {}

    /// Writes them where a node exporter's textfile collector finds them.
    package func write(to path: String) throws(KithError) { try Files.replace(path, with: render()) }
}
