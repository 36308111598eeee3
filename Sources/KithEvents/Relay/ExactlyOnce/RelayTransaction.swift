import KithCore

/// What the open transaction of a lane holds.
struct RelayTransaction {
    /// When its first event came.
    private(set) var beganAt = ContinuousClock.now
    private(set) var events = 0
    private(set) var bytes = 0
    /// Where each shard will stand once it is committed.
    private(set) var cursors: [ShardID: PublishedCursor] = [:]

    /// Whether it is to be committed at once.
    var isFull: Bool { bytes >= Limits.transactionBytes || events >= Limits.transactionEvents }

    mutating func add(events count: Int, bytes size: Int) {
        if events == 0 { beganAt = .now }
        events += count
        bytes += size
    }

    mutating func move(_ shard: ShardID, to cursor: PublishedCursor) { cursors[shard] = cursor }
}
