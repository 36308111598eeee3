/// A change log whose points can be read as they stand, by readers that begin amid it.
public protocol PointFeed: ChangeFeed {
    /// Living points behind `point`, in the order of their ids, as READ changes with what events may carry of them. Those that a commit after
    /// `position` has changed are left out: that commit tells of them.
    ///
    /// - Parameters:
    ///   - limit: points looked at, at most.
    ///   - definition: says what events may not carry.
    /// - Complexity: O(limit).
    func readPoints(
        after point: PointID?, upTo position: LogPosition, limit: Int, of definition: CollectionDefinition
    ) throws(KithError) -> PointPage

    /// A reader's own named note, as durable as its cursor; the log waits for none. Nil until it is first saved.
    func note(_ name: String) throws(KithError) -> [UInt8]?
    func saveNote(_ name: String, _ bytes: [UInt8]) throws(KithError)
}

/// Some of a shard's points.
public struct PointPage: Sendable {
    public var changes: [Change] = []
    /// The last point that was looked at; nil where there was none left.
    public var last: PointID?

    public init() {}
}
