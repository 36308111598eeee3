import KithCore
import KithTelemetry

/// The relay's cursor in a shard's own log: what the log is trimmed behind, and where the relay begins again.
struct DurableCursor: Sendable {
    static let name = "kafka"

    private(set) var saved: LogPosition
    private var savedAt = ContinuousClock.now

    /// Made where there is none: from here on the log waits for Kafka.
    init(of feed: any ChangeFeed) throws(KithError) {
        if let cursor = try feed.cursor(DurableCursor.name) {
            saved = min(cursor, feed.lastPosition)
        } else {
            saved = feed.firstPosition - 1
            try feed.saveCursor(DurableCursor.name, at: saved)
        }
    }

    /// When it is to be saved; nil where it stands where it should.
    func due(_ published: LogPosition, _ options: RelayOptions) -> ContinuousClock.Instant? {
        published > saved ? savedAt + options.cursorInterval : nil
    }

    mutating func saveIfDue(_ published: LogPosition, in feed: any ChangeFeed, _ options: RelayOptions) throws(KithError) {
        guard let due = due(published, options) else { return }
        if due <= .now || published - saved >= Limits.relayCursorCommits { try save(published, in: feed) }
    }

    mutating func save(_ published: LogPosition, in feed: any ChangeFeed) throws(KithError) {
        guard published > saved else { return }
        try feed.saveCursor(DurableCursor.name, at: published)
        saved = published
        savedAt = .now
    }

    /// At the end: a cursor that is not saved means only that a little is done again.
    mutating func saveFinally(_ published: LogPosition, in feed: any ChangeFeed) {
        do throws(KithError) { try save(published, in: feed) } catch {
            relayLog.error("cannot save the relay's cursor", ["shard": "\(feed.shard)", "error": "\(error)"])
        }
    }
}
