public import KithCore

/// What a shard's log holds for the relay and Kafka does not have yet.
public struct WaitingCommits: Sendable, Hashable {
    /// Exact, however many there are.
    public var commits: UInt64 = 0
    /// Events in them, for all topics.
    public var events: UInt64 = 0
    /// Of rows of the change log.
    public var bytes: UInt64 = 0
    /// When the first of them was made, in microseconds since 1970; nil where none waits.
    public var oldest: Int64?
    /// Whether events and bytes are reckoned from the first commits, since there are too many to count.
    public var isEstimate = false

    public init() {}

    /// Counts the commits after `position`, as far as `limit` bytes of rows.
    public init(in feed: any ChangeFeed, after position: LogPosition, limit: Int) throws(KithError) {
        let last = feed.lastPosition
        guard last > position else { return }
        commits = last - position
        // Commits that were trimmed are lost, and no longer wait.
        let first = max(position, feed.firstPosition - 1)
        var counted: UInt64 = 0
        var rows = 0
        var changes = 0
        var time: Int64?
        _ = try feed.forEachCommit(after: first) { (commit, size) throws(KithError) in
            guard commit.position <= last else { return false }
            time = time ?? commit.time
            counted += 1
            rows += size
            changes += commit.changes.count + commit.facts.count
            return rows < limit
        }
        oldest = time
        isEstimate = counted < last - first
        let share = counted == 0 ? 0 : Double(last - first) / Double(counted)
        events = UInt64(Double(changes) * share)
        bytes = UInt64(Double(rows) * share)
    }

    /// Age of the first of them; zero where none waits, or clocks disagree.
    public func age(at now: Int64) -> Duration { .microseconds(max(0, oldest.map { now - $0 } ?? 0)) }
}
