import KithCore
import KithTelemetry

let webhookLog = Log("webhook")

/// One shard on its way to one endpoint: reads its log ahead, and keeps the cursor behind what the endpoint took.
struct Lane: Sendable {
    /// A cursor that holds nothing: without any cursor at all the log would wait for its first reader.
    static let released = LogPosition.max

    let feed: any ChangeFeed
    let definition: @Sendable () -> CollectionDefinition
    /// Read and not yet delivered, in order.
    private(set) var pending: [PendingEvent] = []
    private(set) var pendingBytes = 0
    /// The last commit that was read as a whole, and how many events of the next one were.
    private var readTo: LogPosition
    private var readEvents = 0
    /// Where the durable cursor stands.
    private(set) var saved: LogPosition
    private var savedAt = ContinuousClock.now
    /// Failed attempts at the first pending event.
    var attempts = 0
    var retryAt: ContinuousClock.Instant?
    /// Events of a batch, at most: halved by a refusal, so that a poison event is soon alone.
    var batchLimit: Int

    init(
        feed: any ChangeFeed, after position: LogPosition, batchLimit: Int,
        definition: @escaping @Sendable () -> CollectionDefinition
    ) {
        self.feed = feed
        self.definition = definition
        self.batchLimit = batchLimit
        readTo = position
        saved = position
    }

    /// The last commit that is done with: delivered, or of no interest.
    var done: LogPosition { pending.first.map { $0.position - 1 } ?? readTo }

    /// Commits that are not.
    var lag: UInt64 { feed.lastPosition > done ? feed.lastPosition - done : 0 }

    var hasMore: Bool { !pending.isEmpty || readTo < feed.lastPosition }

    /// Whether it lags by half of what the log keeps, or more.
    var isInOlderHalf: Bool { lag > 1 && lag >= (feed.lastPosition + 1 - min(feed.firstPosition, feed.lastPosition + 1) + 1) / 2 }

    // MARK: Reading

    /// Fills `pending` up, or reads a turn's worth of commits that are of no interest.
    ///
    /// - Throws: `CORRUPTION`; commits that are no longer kept are passed over, counted and logged.
    mutating func read(_ webhook: Webhook, _ encoder: ChangeEventEncoder, _ metrics: Metrics) throws(KithError) -> UInt64 {
        let missed = passTrimmed(webhook, metrics)
        let definition = definition()
        var scanned = 0
        do throws(KithError) {
            _ = try feed.forEachCommit(after: readTo) { (commit, rowBytes) throws(KithError) in
                let isFull = try read(commit, webhook, definition, encoder)
                if readEvents >= commit.changes.count {
                    readTo = commit.position
                    readEvents = 0
                }
                scanned += rowBytes
                return !isFull && scanned < Limits.relayTurnBytes
            }
        } catch  where error.reason == .positionTrimmed {
            // Trimmed between the look above and the reading: the next turn passes over it.
            return missed
        }
        return missed
    }

    /// Takes the events of one commit that are wanted; answers whether there is no more room.
    private mutating func read(
        _ commit: Commit, _ webhook: Webhook, _ definition: CollectionDefinition, _ encoder: ChangeEventEncoder
    ) throws(KithError) -> Bool {
        guard commit.changes[min(readEvents, commit.changes.count)...].contains(where: { webhook.wants($0.operation) }) else {
            readEvents = commit.changes.count
            return false
        }
        var isFull = false
        try encoder.encode(
            commit, from: readEvents, of: definition, feed: feed, vectors: webhook.vectors, encoding: webhook.encoding
        ) { (event) throws(KithError) in
            readEvents = event.index + 1
            guard webhook.wants(commit.changes[event.index].operation) else { return true }
            let next = PendingEvent(event, at: commit.position, of: feed.shard, collection: definition.name)
            pendingBytes += next.byteCount
            pending.append(next)
            isFull = pending.count >= Limits.webhookWindowEvents || pendingBytes >= Limits.webhookWindowBytes
            return !isFull
        }
        return isFull
    }

    /// Goes on with the first commit that is kept, and answers how many are not.
    private mutating func passTrimmed(_ webhook: Webhook, _ metrics: Metrics) -> UInt64 {
        let first = feed.firstPosition
        guard first > readTo + 1 else { return 0 }
        let missed = first - 1 - readTo
        readTo = first - 1
        readEvents = 0
        metrics.webhookMissedCommits.add(Int(clamping: missed))
        webhookLog.error(
            "the change log no longer keeps what a webhook has not delivered",
            ["webhook": webhook.name, "shard": "\(feed.shard)", "missed_commits": "\(missed)", "goes_on_at": "\(first)"])
        return missed
    }

    /// Forgets what was read ahead: the filter, the encoding or the collection's definition has changed.
    mutating func forgetPending() {
        // Events of the first commit may have been delivered: they come again, with the same ids.
        readTo = done
        readEvents = 0
        pending.removeAll()
        pendingBytes = 0
        attempts = 0
    }

    // MARK: Settling

    /// The first `count` pending events are done with.
    mutating func settle(_ count: Int) {
        pendingBytes -= pending.prefix(count).reduce(0) { $0 + $1.byteCount }
        pending.removeFirst(count)
        attempts = 0
        retryAt = nil
    }

    // MARK: The cursor

    func cursorDue(_ interval: Duration) -> ContinuousClock.Instant? { done > saved ? savedAt + interval : nil }

    mutating func saveCursor(_ name: String) throws(KithError) {
        let position = done
        try feed.saveCursor(name, at: position)
        saved = position
        savedAt = .now
    }
}
