import KithCore
import KithTelemetry

/// Where the relay of one shard is: reads its change log, hands the events to the producer, keeps the cursor behind what Kafka has.
struct ShardTurn: Sendable {
    /// What the relay's thread is to do next; commits and deliveries wake it in any case.
    enum Next: Sendable {
        case more
        case wait(until: ContinuousClock.Instant?)
    }

    struct Failure {
        var error: KithError
        /// In a row.
        var count: Int
        /// Nil while the new try is on.
        var retryAt: ContinuousClock.Instant?
        /// Set where events that had been sent are lost: all after this commit are to be sent again.
        var resumesAfter: LogPosition?
    }

    private let feed: any ChangeFeed
    private let definition: @Sendable () -> CollectionDefinition
    private let metrics: Metrics
    private(set) var commits: SentCommits
    private(set) var topic = ""
    private(set) var failure: Failure?
    /// The last commit whose events have all been sent.
    private(set) var sent: LogPosition
    /// The commit after it, where the queue filled up amid its events, and the first of them that is not sent; all are made by one definition.
    private var partial: (commit: SentCommit, next: Int, definition: CollectionDefinition)?
    private var cursor: DurableCursor
    private var statePages: StatePages
    private var isStopped = false

    init(
        feed: any ChangeFeed, metrics: Metrics, definition: @escaping @Sendable () -> CollectionDefinition
    ) throws(KithError) {
        self.feed = feed
        self.metrics = metrics
        self.definition = definition
        cursor = try DurableCursor(of: feed)
        sent = cursor.saved
        commits = SentCommits(after: sent, metrics: metrics)
        statePages = StatePages(try StateSnapshot(of: feed))
    }

    /// As the status has it.
    var snapshot: StateSnapshot { statePages.snapshot }

    mutating func step(_ tools: RelayTools, _ producer: KafkaProducer) -> Next {
        guard !isStopped else { return .wait(until: nil) }
        do throws(KithError) {
            try cursor.saveIfDue(commits.published, in: feed, tools.options)
            noteLoss(tools)
            if try statePages.saveIfDelivered(metrics), failure?.retryAt == nil { failure = nil }
            guard isReady() else { return .wait(until: earliest(failure?.retryAt, cursor.due(commits.published, tools.options))) }
            // A commit without events moves the watermark and is reported by nobody: the cursor is looked at again after sending.
            return try send(tools, producer) ? .more : .wait(until: cursor.due(commits.published, tools.options))
        } catch {
            fail(error, resumesAfter: nil, tools)
            return .wait(until: failure?.retryAt)
        }
    }

    mutating func producerEnded(_ tools: RelayTools) {
        noteLoss(tools)
        resume(after: commits.published)
    }

    mutating func stop() {
        guard !isStopped else { return }
        isStopped = true
        cursor.saveFinally(commits.published, in: feed)
        commits.abandon()
    }

    /// Counts what is not in Kafka, as far as `limit` bytes.
    func waiting(limit: Int) -> WaitingCommits {
        guard !isStopped else { return WaitingCommits() }
        do throws(KithError) { return try WaitingCommits(in: feed, after: commits.published, limit: limit) } catch {
            relayLog.warning("cannot count what waits", ["shard": "\(feed.shard)", "error": "\(error)"])
            return WaitingCommits()
        }
    }

    // MARK: Sending

    /// Sends commits until there are none, the turn is over, or the queue is full; answers whether there is more to do at once.
    private mutating func send(_ tools: RelayTools, _ producer: KafkaProducer) throws(KithError) -> Bool {
        let definition = definition()
        let topics = ShardTopics(feed.shard, definition, tools.producer, producer)
        topic = topics.mainName
        var bytes = 0
        var isFull = commits.bytes >= Limits.relayShardBytes
        // A broker that knows nothing of this producer takes any sequence: were the first event refused, those behind it could overtake.
        let isFirst = !commits.isUnderway
        guard !isFull, !isFirst || commits.isAllReported, try topics.areReady([topics.main]) else { return false }
        if let gap = try tools.gap(after: sent, in: feed, definition) {
            return try send(gap, to: try topics[topics.main], tools, producer)
        }
        try statePages.snapshot.tend(definition, sent: sent)
        if statePages.isOpen { guard try sendState(definition, topics, tools, producer) else { return false } }
        var isWaiting = false
        _ = try feed.forEachCommit(after: sent) { (commit, _) throws(KithError) in
            let definition = partial?.definition ?? definition
            guard try topics.areReady(tools.encoder.topics(of: commit, definition)) else {
                isWaiting = true
                return false
            }
            let count = try send(commit, definition, to: topics, isFirst: isFirst, tools, producer)
            bytes += count
            isFull = partial != nil || (isFirst && count > 0) || commits.bytes >= Limits.relayShardBytes
            if count > 0 || partial == nil { recover() }
            return !isFull && bytes < Limits.relayTurnBytes
        }
        var hasState = false
        if partial == nil, !isFull, !isWaiting { hasState = try beginState(definition, topics, tools, producer) }
        if sent == feed.lastPosition { recover() }
        return !isFull && !isWaiting && (sent < feed.lastPosition || hasState)
    }

    /// Sends the next page of points that no commit tells of, where it is time to; answers whether another can follow at once.
    private mutating func beginState(
        _ definition: CollectionDefinition, _ topics: ShardTopics, _ tools: RelayTools, _ producer: KafkaProducer
    ) throws(KithError) -> Bool {
        // The first event of a producer goes alone.
        guard statePages.isFree, commits.isUnderway || commits.isAllReported, try topics.areReady([.state]) else { return false }
        let limit = commits.isUnderway ? Limits.statePagePoints : 1
        guard try statePages.begin(at: sent, limit: limit, definition, in: commits) else { return statePages.snapshot.isUnderWay }
        _ = try sendState(definition, topics, tools, producer)
        return false
    }

    /// Sends what is left of the page; answers whether all is with the producer.
    private mutating func sendState(
        _ definition: CollectionDefinition, _ topics: ShardTopics, _ tools: RelayTools, _ producer: KafkaProducer
    ) throws(KithError) -> Bool {
        guard try topics.areReady([.state]) else { return false }
        guard let sending = try statePages.send(definition, to: try topics[.state], feed: feed, tools, producer) else {
            return false
        }
        commits.append(sending)
        return true
    }

    /// Sends what stands for commits that are gone; answers whether it was.
    private mutating func send(
        _ gap: GapEvent, to topic: KafkaTopic, _ tools: RelayTools, _ producer: KafkaProducer
    ) throws(KithError) -> Bool {
        let last = gap.positions.upperBound
        let sending = SentCommit(last, events: 1, in: commits)
        let size = gap.key.count + gap.value.count
        sending.queued(bytes: size)
        switch producer.produce(
            to: topic, partition: Int(feed.shard.shard), key: gap.key, value: gap.value, headers: gap.headers, receiver: sending)
        {
        case .queued: break
        case .queueFull:
            sending.notQueued(bytes: size)
            return false
        case .refused(let error):
            sending.notQueued(bytes: size)
            if error.isProducerGone { return false }
            throw error.asKithError("cannot publish a GAP event")
        }
        commits.append(sending)
        sent = last
        partial = nil
        metrics.lostCommits.add(gap.positions.count)
        recover()
        return true
    }

    /// Sends one commit, or what is left of it, and answers the bytes; `partial` says whether events are left.
    private mutating func send(
        _ commit: Commit, _ definition: CollectionDefinition, to topics: ShardTopics, isFirst: Bool, _ tools: RelayTools,
        _ producer: KafkaProducer
    ) throws(KithError) -> Int {
        let count = tools.encoder.count(commit, of: definition)
        let sending = partial?.commit ?? SentCommit(commit.position, events: count, in: commits)
        var next = partial?.next ?? 0
        var bytes = 0
        // Kept also when an event is refused: the next try begins with that event.
        defer { partial = next < count ? (sending, next, definition) : nil }
        try tools.encoder.encode(commit, from: next, of: definition, feed: feed) { (event) throws(KithError) in
            let topic = try topics[event.topic]
            let size = event.key.count + event.value.count
            sending.queued(bytes: size)
            let outcome = producer.produce(
                to: topic, partition: event.topic.partition(of: feed.shard), key: event.key, value: event.value,
                headers: event.headers, receiver: sending)
            switch outcome {
            case .queued:
                bytes += size
                next += 1
                return !isFirst
            case .queueFull:
                sending.notQueued(bytes: size)
                return false
            case .refused(let error) where error.isProducerGone:
                // The next producer sends it.
                sending.notQueued(bytes: size)
                return false
            case .refused(let error):
                sending.notQueued(bytes: size)
                throw error.asKithError("cannot publish event \(commit.position)/\(event.index)")
            }
        }
        if next == count {
            commits.append(sending)
            sent = commit.position
        }
        return bytes
    }

    // MARK: Failing and trying again

    private mutating func fail(_ error: KithError, resumesAfter: LogPosition?, _ tools: RelayTools) {
        let count = (failure?.count ?? 0) + 1
        let delay = tools.options.delay(afterFailures: count)
        failure = Failure(error: error, count: count, retryAt: .now + delay, resumesAfter: resumesAfter)
        tools.producer.forgetTopics(of: definition())
        metrics.publishErrors.add()
        relayLog.error(
            "a shard's relay stands still and tries again",
            ["shard": "\(feed.shard)", "after": "\(commits.published)", "error": "\(error)", "in": "\(delay)"])
    }

    /// Takes note of events that Kafka refused; those of a producer that has ended are sent again by the next one.
    private mutating func noteLoss(_ tools: RelayTools) {
        let isNoted = failure?.retryAt != nil && failure?.resumesAfter != nil
        guard !isNoted, let lost = commits.failure, !lost.isProducerGone else { return }
        fail(lost.asKithError("cannot publish to Kafka"), resumesAfter: commits.published, tools)
    }

    /// Whether to go on sending: not before the time of the next try, nor, after a loss, before all is known of what was sent.
    private mutating func isReady() -> Bool {
        guard let failure, let retryAt = failure.retryAt else { return commits.failure == nil }
        guard retryAt <= .now else { return false }
        if failure.resumesAfter != nil {
            guard commits.isAllReported else { return false }
            resume(after: commits.published)
        }
        self.failure?.retryAt = nil
        return true
    }

    /// Sends everything after `position` again; reports of what was sent before count no more.
    private mutating func resume(after position: LogPosition) {
        commits.abandon()
        commits = SentCommits(after: position, metrics: metrics)
        sent = position
        partial = nil
        statePages.abandon()
    }

    /// The new try has come further: once what was lost has been delivered, too, the failure is over.
    private mutating func recover() {
        guard let failure, failure.retryAt == nil else { return }
        if let lost = failure.resumesAfter, commits.published <= lost { return }
        self.failure = nil
        relayLog.info("a shard's relay goes on", ["shard": "\(feed.shard)"])
    }
}

/// The earlier of two times, where nil is never.
func earliest(_ one: ContinuousClock.Instant?, _ other: ContinuousClock.Instant?) -> ContinuousClock.Instant? {
    guard let one, let other else { return one ?? other }
    return min(one, other)
}
