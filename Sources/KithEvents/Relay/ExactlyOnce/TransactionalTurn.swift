import KithCore
import KithTelemetry

/// Where the relay of one shard is, exactly once: reads its change log and puts whole commits into transactions.
struct TransactionalTurn: Sendable {
    /// What came of sending.
    enum Outcome: Sendable {
        case more
        case idle
        /// The transaction holds a part of a commit that cannot be sent: it must be aborted.
        case spoiled
    }

    struct Failure {
        var error: KithError
        /// In a row.
        var count: Int
        var retryAt: ContinuousClock.Instant
        /// The commit that failed, where it is known: those before it are published meanwhile.
        var position: LogPosition?
    }

    let feed: any ChangeFeed
    private let definition: @Sendable () -> CollectionDefinition
    private(set) var failure: Failure?
    /// All commits up to this one are committed in Kafka.
    private(set) var published: LogPosition
    private(set) var topic = ""
    /// All commits up to this one are in the open transaction or before it.
    private(set) var sent: LogPosition
    /// Whether Kafka's cursor has been compared with the log since the producer began.
    private var isResumed = false
    private var cursor: DurableCursor
    private(set) var snapshot: StateSnapshot
    /// Of the page that is in the open transaction.
    private var openMark: (mark: StateMark, points: Int)?
    private var isStopped = false

    init(feed: any ChangeFeed, definition: @escaping @Sendable () -> CollectionDefinition) throws(KithError) {
        self.feed = feed
        self.definition = definition
        cursor = try DurableCursor(of: feed)
        published = cursor.saved
        sent = published
        snapshot = try StateSnapshot(of: feed)
    }

    // MARK: Sending

    /// Whether there are commits that may be sent now, or Kafka's cursor is still to be compared.
    var wantsToSend: Bool { !isStopped && (isResumed ? min(limit, feed.lastPosition) > sent || wantsState : limit > 0) }

    /// Whether points that no commit tells of may be sent now.
    private var wantsState: Bool { limit == .max && openMark == nil && snapshot.isDue(definition()) }

    /// Adds commits to the transaction until there are none or it is full.
    ///
    /// - Parameter known: the shard's cursor in Kafka.
    mutating func send(
        _ tools: RelayTools, _ producer: KafkaProducer, known: () throws(KithError) -> PublishedCursor?,
        into transaction: inout RelayTransaction
    ) -> Outcome {
        // A shard that was stopped and started again waits for what it has in the transaction.
        guard wantsToSend, !transaction.isFull, isResumed || transaction.cursors[feed.shard] == nil else { return .idle }
        var position: LogPosition?
        var isAmidPage = false
        do throws(KithError) {
            let definition = definition()
            if !isResumed { try resume(after: try known(), definition) }
            let end = min(limit, feed.lastPosition)
            try snapshot.tend(definition, sent: sent)
            guard end > sent || wantsState else { return .idle }
            let topics = ShardTopics(feed.shard, definition, tools.producer, producer)
            topic = topics.mainName
            guard try topics.areReady([topics.main]) else { return .idle }
            // Whatever stops this turn, events that are in the transaction count as sent.
            let (began, mark) = (sent, openMark?.mark)
            defer {
                if sent > began || openMark?.mark != mark {
                    transaction.move(
                        feed.shard,
                        to: PublishedCursor(
                            position: sent, collection: definition.name, createdAt: definition.createdAt,
                            state: openMark?.mark ?? snapshot.mark))
                }
            }
            if let gap = try tools.gap(after: sent, in: feed, definition) {
                try producer.produceWaiting(
                    to: topics[topics.main], partition: Int(feed.shard.shard), key: gap.key, value: gap.value,
                    headers: gap.headers,
                    action: "publish a GAP event")
                transaction.add(events: 1, bytes: gap.key.count + gap.value.count)
                tools.metrics.lostCommits.add(gap.positions.count)
                sent = gap.positions.upperBound
            }
            var bytes = 0
            var isWaiting = false
            _ = try feed.forEachCommit(after: sent) { (commit, _) throws(KithError) in
                guard try topics.areReady(tools.encoder.topics(of: commit, definition)) else {
                    isWaiting = true
                    return false
                }
                position = commit.position
                bytes += try send(commit, definition, to: topics, tools, producer, &transaction)
                position = nil
                sent = commit.position
                return commit.position < end && !transaction.isFull && bytes < Limits.relayTurnBytes
            }
            if wantsState, !isWaiting, !transaction.isFull, try topics.areReady([.state]) {
                isAmidPage = true
                try sendState(definition, to: try topics[.state], tools, producer, &transaction)
                isAmidPage = false
            }
            return sent < end && !isWaiting ? .more : .idle
        } catch {
            fail(error, at: position, tools)
            return position == nil && !isAmidPage ? .idle : .spoiled
        }
    }

    /// Puts the next page of points that no commit tells of into the transaction.
    private mutating func sendState(
        _ definition: CollectionDefinition, to topic: KafkaTopic, _ tools: RelayTools, _ producer: KafkaProducer,
        _ transaction: inout RelayTransaction
    ) throws(KithError) {
        guard let page = try snapshot.page(at: sent, limit: Limits.statePagePoints, definition) else { return }
        var bytes = 0
        try tools.encoder.encodeState(of: page.commit, from: 0, definition, feed: feed) { (event) throws(KithError) in
            try producer.produceWaiting(
                to: topic, partition: event.topic.partition(of: feed.shard), key: event.key, value: event.value,
                headers: event.headers, action: "publish the state of a point as of commit \(page.commit.position)")
            bytes += event.key.count + event.value.count
            return true
        }
        openMark = (page.mark, page.commit.changes.count)
        transaction.add(events: page.commit.changes.count, bytes: bytes)
    }

    /// The last commit that may be sent: before one that failed all others go, and that one alone.
    private var limit: LogPosition {
        guard let failure else { return .max }
        let isDue = failure.retryAt <= .now
        guard let position = failure.position else { return isDue ? .max : 0 }
        return isDue && published == position - 1 ? position : position - 1
    }

    private func send(
        _ commit: Commit, _ definition: CollectionDefinition, to topics: ShardTopics, _ tools: RelayTools,
        _ producer: KafkaProducer, _ transaction: inout RelayTransaction
    ) throws(KithError) -> Int {
        var bytes = 0
        var count = 0
        try tools.encoder.encode(commit, of: definition, feed: feed) { (event) throws(KithError) in
            try producer.produceWaiting(
                to: topics[event.topic], partition: event.topic.partition(of: feed.shard), key: event.key, value: event.value,
                headers: event.headers,
                action: "publish event \(commit.position)/\(event.index)")
            bytes += event.key.count + event.value.count
            count += 1
            return true
        }
        transaction.add(events: count, bytes: bytes)
        return bytes
    }

    /// Goes on where Kafka's cursor stands; where there is none, after the log's own.
    private mutating func resume(after known: PublishedCursor?, _ definition: CollectionDefinition) throws(KithError) {
        if let known {
            let metadata = [
                "shard": "\(feed.shard)", "published": "\(known.position)", "last_position": "\(feed.lastPosition)",
                "collection": known.collection,
            ]
            guard known.createdAt == definition.createdAt else {
                throw KithError(
                    .failedPrecondition, .invalidConfiguration,
                    "Kafka's cursor of shard \(feed.shard) is of another collection, '\(known.collection)', which an earlier database "
                        + "of the same cluster name published; give this database another name (cluster)",
                    metadata: metadata)
            }
            guard known.position <= feed.lastPosition else {
                throw KithError(
                    .failedPrecondition, .invalidConfiguration,
                    "shard \(feed.shard) ends at commit \(feed.lastPosition), but commit \(known.position) has been published: "
                        + "the data is older than the topic (an old backup?); give this database another name (cluster)",
                    metadata: metadata)
            }
            // The log's own may be ahead: of commits without events, or from a time of at-least-once.
            published = max(published, known.position)
            snapshot.resume(after: known.state)
        }
        sent = published
        isResumed = true
    }

    // MARK: Outcomes

    /// The transaction that held the shard's commits up to `position` is committed.
    mutating func committed(_ position: LogPosition, _ tools: RelayTools) {
        guard isResumed else { return }
        published = position
        if let open = openMark {
            openMark = nil
            tools.metrics.statePoints.add(open.points)
            // Kafka has it: one that is not saved here, too, is found there.
            snapshot.resume(after: open.mark)
            do throws(KithError) { try snapshot.save(open.mark) } catch { fail(error, tools) }
        }
        guard let failure, position >= failure.position ?? 0 else { return }
        self.failure = nil
        relayLog.info("a shard's relay goes on", ["shard": "\(feed.shard)"])
    }

    /// What the open transaction held is to be sent again.
    mutating func rolledBack() {
        sent = published
        openMark = nil
    }

    /// The producer is gone: Kafka's cursor says what became of its last transaction.
    mutating func producerEnded() {
        isResumed = false
        sent = published
        openMark = nil
    }

    mutating func fail(_ error: KithError, at position: LogPosition? = nil, _ tools: RelayTools) {
        let count = (failure?.count ?? 0) + 1
        let delay = tools.options.delay(afterFailures: count)
        failure = Failure(error: error, count: count, retryAt: .now + delay, position: position)
        tools.producer.forgetTopics(of: definition())
        tools.metrics.publishErrors.add()
        relayLog.error(
            "a shard's relay stands still and tries again",
            ["shard": "\(feed.shard)", "after": "\(published)", "error": "\(error)", "in": "\(delay)"])
    }

    /// Counts what is not in Kafka, as far as `limit` bytes.
    func waiting(limit: Int) -> WaitingCommits {
        guard !isStopped else { return WaitingCommits() }
        do throws(KithError) { return try WaitingCommits(in: feed, after: published, limit: limit) } catch {
            relayLog.warning("cannot count what waits", ["shard": "\(feed.shard)", "error": "\(error)"])
            return WaitingCommits()
        }
    }

    // MARK: The log's own cursor

    /// Saves the cursor where it is time to; answers when to look again.
    mutating func tendCursor(_ tools: RelayTools) -> ContinuousClock.Instant? {
        guard !isStopped else { return nil }
        do throws(KithError) { try cursor.saveIfDue(published, in: feed, tools.options) } catch {
            fail(error, tools)
        }
        return earliest(cursor.due(published, tools.options), failure.flatMap { $0.retryAt > .now ? $0.retryAt : nil })
    }

    mutating func stop() {
        guard !isStopped else { return }
        isStopped = true
        cursor.saveFinally(published, in: feed)
    }
}
