/// The change log of one shard, as its readers see it: the Kafka relay, `Subscribe`, and whatever follows commits.
///
/// A reader keeps its own position and asks for what came after. It sees every commit exactly once, in order.
public protocol ChangeFeed: AnyObject, Sendable {
    var shard: ShardID { get }

    /// The last commit that can be read.
    var lastPosition: LogPosition { get }

    /// The first commit that is still kept; one past `lastPosition` where none is.
    var firstPosition: LogPosition { get }

    /// Visits commits after `position` in order, until `visit` answers false, or there are no more. The commit borrows from the row: it is
    /// valid during the visit only. Answers the last position visited.
    ///
    /// - Throws: `POSITION_TRIMMED` where commits after `position` are no longer kept; `CORRUPTION`.
    func forEachCommit(
        after position: LogPosition, _ visit: (_ commit: Commit, _ rowBytes: Int) throws(KithError) -> Bool
    ) throws(KithError) -> LogPosition

    /// The stored vector of a slot named by an image; valid as long as the feed.
    func vector(space: Int, slot: UInt32) -> ByteView

    /// Calls `wake` after every group of commits, from the writer's thread: it must only signal. Returns a token for `stopObserving`.
    func observeCommits(_ wake: @escaping @Sendable () -> Void) -> UInt64
    func stopObserving(_ token: UInt64)

    /// A named durable cursor: commits at or before it are done with. Nil until it is first saved. Rows after the slowest cursor are never trimmed.
    func cursor(_ name: String) throws(KithError) -> LogPosition?
    func saveCursor(_ name: String, at position: LogPosition) throws(KithError)
    /// The reader is gone, or gives up its place: the log waits for it no more.
    func removeCursor(_ name: String) throws(KithError)
}
