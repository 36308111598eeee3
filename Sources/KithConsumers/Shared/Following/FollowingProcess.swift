import Foundation
package import KithCommands
package import KithCore
import KithEvents
import KithTelemetry

/// A process that follows topics until it is told to stop.
package enum FollowingProcess {
    private static let log = Log("consume")
    /// Seconds between two writings of the metrics.
    private static let metricsSeconds = 5.0

    /// Follows `topics` into the sink that `open` makes.
    ///
    /// - Parameter lineage: what is told of the beginning, once there is a sink, and of the end. Made here, as the sink is: a client has
    ///   threads, and signals must be seen to before.
    package static func run(
        _ arguments: Arguments, _ settings: ConsumerSettings, group: String, topics: [String],
        lineage makeLineage: () throws(KithError) -> LineageRun? = { () throws(KithError) in nil },
        _ open: (GroupConsumer, ConsumerMetrics) throws(KithError) -> any RecordSink
    ) throws(KithError) -> Int32 {
        try settings.setLogLevel()
        let stop = StopFlag.onSignals(log)
        let metrics = ConsumerMetrics()
        var options = try settings.followerOptions()
        options.stopsAtEnd = arguments.flag("until-end")
        let kafka = try settings.kafka()
        let consumer = try GroupConsumer(kafka, group: group, topics: topics)
        let sink = try open(consumer, metrics)
        let publisher = settings.text("metrics-file").map { MetricsFile(metrics, $0, every: metricsSeconds) }
        defer { publisher?.finish() }
        log.info("following", ["topics": topics.joined(separator: " "), "group": group, "brokers": kafka.brokers])
        let lineage = try makeLineage()
        lineage?.start()
        do throws(KithError) {
            try Follower(consumer, into: sink, options: options, metrics: metrics, stop: stop).run()
        } catch {
            lineage?.end(.fail, error: error.description)
            throw error
        }
        lineage?.end(stop.isRaised ? .abort : .complete)
        log.info("stopped", ["records": "\(metrics.records.current)"])
        return ExitCode.success
    }
}

/// Writes metrics to a file at intervals, on a thread of its own, until it is finished.
private final class MetricsFile: @unchecked Sendable {
    private static let log = Log("metrics")
    private let metrics: ConsumerMetrics
    private let path: String
    // Guards the end, and tells of it.
    private let condition = NSCondition()
    private var isFinished = false

    init(_ metrics: ConsumerMetrics, _ path: String, every seconds: Double) {
        self.metrics = metrics
        self.path = path
        Thread(named: "kith-metrics") { [self] in
            condition.lock()
            while !isFinished {
                write()
                _ = condition.wait(until: Date(timeIntervalSinceNow: seconds))
            }
            condition.unlock()
        }.start()
    }

    func finish() {
        condition.withLock {
            isFinished = true
            condition.signal()
            write()
        }
    }

    private func write() {
        do throws(KithError) { try metrics.write(to: path) } catch {
            MetricsFile.log.warning("metrics are not written", ["error": error.description])
        }
    }
}
