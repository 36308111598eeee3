import KithCore
import KithTelemetry

/// The pages of a state snapshot on their way to Kafka, at least once: one at a time, whose mark is saved when all of it is there.
struct StatePages: Sendable {
    private struct Sending: Sendable {
        var page: StateSnapshot.Page
        var commit: SentCommit
        /// The first point that is not sent.
        var next = 0
    }

    var snapshot: StateSnapshot
    private var sending: Sending?

    init(_ snapshot: StateSnapshot) { self.snapshot = snapshot }

    /// Whether a part of the page is not sent yet: no commit may be, before it.
    var isOpen: Bool { sending.map { $0.next < $0.page.commit.changes.count } ?? false }

    /// Whether another page may be begun.
    var isFree: Bool { sending == nil && snapshot.isUnderWay }

    /// Begins the next page; answers whether it has points.
    mutating func begin(
        at position: LogPosition, limit: Int, _ definition: CollectionDefinition, in commits: SentCommits
    ) throws(KithError) -> Bool {
        guard let page = try snapshot.page(at: position, limit: limit, definition) else { return false }
        let count = page.commit.changes.count
        guard count > 0 else {
            try snapshot.save(page.mark)
            return false
        }
        sending = Sending(page: page, commit: SentCommit(position, events: count, in: commits))
        return true
    }

    /// Sends points of the page; answers what is to hear of them once all are sent.
    mutating func send(
        _ definition: CollectionDefinition, to topic: KafkaTopic, feed: any ChangeFeed, _ tools: RelayTools,
        _ producer: KafkaProducer
    ) throws(KithError) -> SentCommit? {
        guard var current = sending else { return nil }
        defer { sending = current }
        let points = current.page.commit
        try tools.encoder.encodeState(of: points, from: current.next, definition, feed: feed) { (event) throws(KithError) in
            let size = event.key.count + event.value.count
            current.commit.queued(bytes: size)
            switch producer.produce(
                to: topic, partition: event.topic.partition(of: feed.shard), key: event.key, value: event.value,
                headers: event.headers, receiver: current.commit)
            {
            case .queued:
                current.next += 1
                return true
            case .queueFull:
                current.commit.notQueued(bytes: size)
                return false
            case .refused(let error):
                current.commit.notQueued(bytes: size)
                // The next producer begins the page anew.
                if error.isProducerGone { return false }
                throw error.asKithError("cannot publish the state of a point as of commit \(points.position)")
            }
        }
        return current.next == points.changes.count ? current.commit : nil
    }

    /// Saves the mark of a page that is in Kafka; answers whether one was.
    mutating func saveIfDelivered(_ metrics: Metrics) throws(KithError) -> Bool {
        guard let sending, !isOpen, sending.commit.isDelivered else { return false }
        try snapshot.save(sending.page.mark)
        metrics.statePoints.add(sending.page.commit.changes.count)
        self.sending = nil
        return true
    }

    /// The page on its way is read and sent again.
    mutating func abandon() { sending = nil }
}
