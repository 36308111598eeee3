import Foundation
import KithCore

/// Brings the points that were there before the state topic was turned on into it, a page at a time, between the commits.
///
/// A page is read when the shard's commits up to some position have been sent, and before any later one is: it leaves out what later commits
/// have changed. So a point's records come in the order of its versions.
struct StateSnapshot: Sendable {
    static let note = "kafka-state"

    /// Points as READ changes at the commit that they are as of, and the mark once they are in the topic.
    struct Page: Sendable {
        var commit: Commit
        var mark: StateMark
    }

    private let feed: (any PointFeed)?
    private(set) var mark: StateMark?

    /// - Throws: `CORRUPTION` where the mark cannot be read.
    init(of feed: any ChangeFeed) throws(KithError) {
        self.feed = feed as? any PointFeed
        mark = try self.feed?.note(StateSnapshot.note).map { (bytes) throws(KithError) in
            try StateMark(decoding: bytes, shard: feed.shard)
        }
    }

    /// Whether points are still to be sent, or the topic was turned on or off since.
    func isDue(_ definition: CollectionDefinition) -> Bool {
        guard feed != nil else { return false }
        return definition.events.state != (mark?.isKept ?? false) || isUnderWay
    }

    var isUnderWay: Bool { mark.map { !$0.isComplete } ?? false }

    /// How it stands for a topic that is to be kept, or not.
    func progress(isKept: Bool) -> StateSnapshotProgress {
        guard isKept, feed != nil else { return .off }
        guard let mark, mark.isKept else { return .waiting }
        return mark.isComplete ? .done(points: mark.points) : .running(points: mark.points)
    }

    /// Kafka knows of a mark: the later one counts.
    mutating func resume(after known: StateMark?) {
        if let known, known.number > mark?.number ?? 0 { mark = known }
    }

    /// Notes that the topic was turned on or off.
    ///
    /// - Parameter sent: the last commit that has been sent: where there is none, the log tells of all points by itself.
    mutating func tend(_ definition: CollectionDefinition, sent: LogPosition) throws(KithError) {
        let isKept = definition.events.state
        guard let feed, isKept != mark?.isKept ?? false else { return }
        let isAllToCome = sent == 0 && feed.firstPosition == 1
        try save(StateMark(number: (mark?.number ?? 0) + 1, isKept: isKept, isComplete: !isKept || isAllToCome))
    }

    /// The next points, where the commits up to `position` have been sent and none after it.
    func page(at position: LogPosition, limit: Int, _ definition: CollectionDefinition) throws(KithError) -> Page? {
        guard let feed, var next = mark, isUnderWay else { return nil }
        let after = next.after.flatMap { data in data.withUnsafeBytes { PointID(encoded: $0) } }
        let found = try feed.readPoints(after: after, upTo: position, limit: limit, of: definition)
        next.number += 1
        next.points += UInt64(found.changes.count)
        if let last = found.last { next.after = Data(last.encoded) } else { next.isComplete = true }
        return Page(commit: Commit(position: position, time: 0, requestID: "", changes: found.changes), mark: next)
    }

    /// The points up to this mark are in the topic.
    mutating func save(_ next: StateMark) throws(KithError) {
        try feed?.saveNote(StateSnapshot.note, next.encoded())
        mark = next
    }
}
