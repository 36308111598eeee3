package import KithCore
import KithTelemetry

/// Carries records from a consumer group into a sink: in batches, each committed with its offsets before the next is read.
///
/// It never holds more than one batch; what librdkafka reads ahead is bounded too, so a slow sink slows the reading. Where the sink fails, the
/// batch is dropped, reading pauses, and goes on from the sink's own offsets once the sink takes the partitions again.
package final class Follower {
    /// How much of a batch, and how long.
    package struct Options: Sendable {
        /// Records of a batch, at most.
        package var batchRecords = 1_000
        /// Bytes of a batch, at most one record more.
        package var batchBytes = 8 << 20
        /// How long a record waits for others.
        package var linger = Duration.milliseconds(200)
        /// How long a sink that fails is left alone.
        package var retry = RetryDelay()
        /// Ends once everything that there is has been read.
        package var stopsAtEnd = false

        package init() {}
    }

    private static let log = Log("follower")
    /// How long one poll waits: what a stop waits for at most.
    private static let pollMilliseconds = 100

    private let consumer: GroupConsumer
    private let sink: any RecordSink
    private let metrics: ConsumerMetrics
    private let stop: StopFlag
    private let options: Options
    private var retry: RetryDelay

    private var partitions: [TopicPartition] = []
    private var ended: Set<TopicPartition> = []
    private var records = 0
    private var bytes = 0
    private var firstAt = ContinuousClock.now
    /// When the sink is tried again; nil while it works.
    private var retryAt: ContinuousClock.Instant?

    package init(
        _ consumer: GroupConsumer, into sink: any RecordSink, options: Options, metrics: ConsumerMetrics, stop: StopFlag
    ) {
        self.consumer = consumer
        self.sink = sink
        self.options = options
        self.metrics = metrics
        self.stop = stop
        retry = options.retry
    }

    /// Runs until it is asked to stop, or has read everything; what was read is then in the sink.
    ///
    /// - Throws: what trying again cannot mend.
    package func run() throws(KithError) {
        defer {
            sink.release()
            consumer.close()
        }
        while !stop.isRaised, !isDone {
            if let retryAt, retryAt <= .now { try takeUp() }
            if retryAt == nil, isDue { try commit() }
            if let event = try consumer.poll(milliseconds: waitMilliseconds) { try serve(event) }
        }
        if retryAt == nil { try commit() }
    }

    private var isDone: Bool {
        options.stopsAtEnd && !partitions.isEmpty && ended.isSuperset(of: partitions) && records == 0 && retryAt == nil
    }

    private var isDue: Bool {
        guard records > 0 else { return false }
        return records >= options.batchRecords || bytes + sink.fetchedBytes >= options.batchBytes
            || firstAt.duration(to: .now) >= options.linger || (options.stopsAtEnd && ended.isSuperset(of: partitions))
    }

    private var waitMilliseconds: Int {
        guard let next = retryAt ?? (records > 0 ? firstAt + options.linger : nil) else { return Follower.pollMilliseconds }
        let wait = ContinuousClock.now.duration(to: next)
        return min(max(Int(wait / .milliseconds(1)), 0), Follower.pollMilliseconds)
    }

    private func serve(_ event: GroupConsumer.Event) throws(KithError) {
        switch event {
        case .assigned(let given):
            Follower.log.info("partitions assigned", ["partitions": given.map(\.description).joined(separator: " ")])
            partitions = given
            ended = []
            try takeUp()
        case .revoked(let isLost):
            Follower.log.info("partitions revoked", ["lost": "\(isLost)"])
            if !isLost, retryAt == nil { try commit() }
            forgetBatch()
            sink.release()
            partitions = []
            retryAt = nil
            consumer.letGo()
        case .record(let record):
            guard retryAt == nil, partitions.contains(record.place) else { return }
            ended.remove(record.place)
            try attempt { () throws(KithError) in
                try sink.add(record)
                if records == 0 { firstAt = .now }
                records += 1
                bytes += record.byteCount
            }
        case .end(let place): ended.insert(place)
        case .trouble(let text):
            metrics.brokerTroubles.add()
            Follower.log.warning("trouble with Kafka", ["error": text])
        }
    }

    /// Asks the sink where to go on, and reads from there.
    private func takeUp() throws(KithError) {
        retryAt = nil
        try attempt { () throws(KithError) in
            let offsets = try sink.take(partitions)
            try consumer.read(offsets)
            consumer.resume(partitions)
            retry.reset()
        }
    }

    private func commit() throws(KithError) {
        guard records > 0 else { return }
        try attempt { () throws(KithError) in
            let offsets = try sink.commit()
            metrics.records.add(records)
            metrics.commits.add()
            Follower.log.debug("batch committed", ["records": "\(records)"])
            forgetBatch()
            consumer.report(offsets)
        }
    }

    private func forgetBatch() {
        records = 0
        bytes = 0
    }

    /// Does something with the sink; where that fails, everything begins again later at the sink's offsets.
    private func attempt(_ action: () throws(KithError) -> Void) throws(KithError) {
        do throws(KithError) { try action() } catch {
            // A wrong setting stays wrong, damage stays damage, and what Kafka never had does not come.
            if error.reason == .invalidConfiguration || error.reason == .positionTrimmed || error.code == .dataLoss {
                throw error
            }
            let delay = retry.next()
            retryAt = .now + delay
            metrics.sinkFailures.add()
            Follower.log.error("the sink fails, and is tried again", ["error": error.description, "in": "\(delay)"])
            forgetBatch()
            ended = []
            // The group wants to hear that the partitions are taken, though nothing is read yet.
            try consumer.read(Dictionary(uniqueKeysWithValues: partitions.map { ($0, nil) }))
            consumer.pause(partitions)
        }
    }
}
