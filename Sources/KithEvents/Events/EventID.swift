public import KithCore

/// The id of a change event, `<cluster>/<collection id>.<shard>/<position>/<index>`: the same for every copy of it.
public struct EventID: Sendable, Hashable, CustomStringConvertible {
    /// As configured; it may have slashes.
    public var cluster: String
    /// With the collection by its id: one made anew under a name has another.
    public var shard: ShardID
    /// The commit.
    public var position: LogPosition
    /// Place among the commit's events, from 0.
    public var index: Int

    /// Of an event of a commit: snapshots, gaps and transactions have ids of other forms.
    public init(cluster: String, shard: ShardID, position: LogPosition, index: Int) {
        self.cluster = cluster
        self.shard = shard
        self.position = position
        self.index = index
    }

    /// Nil where the text is no such id; those of snapshots, gaps and transactions are none. A cluster's name may have slashes.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 4 else { return nil }
        let place = parts[parts.count - 3].split(separator: ".", omittingEmptySubsequences: false)
        guard place.count == 2, let collection = UInt32(place[0]), let shard = UInt16(place[1]),
            let position = LogPosition(parts[parts.count - 2]), position > 0, let index = Int(parts[parts.count - 1]), index >= 0
        else { return nil }
        self.init(
            cluster: parts.dropLast(3).joined(separator: "/"), shard: ShardID(collection: collection, shard: shard),
            position: position, index: index)
        // One text an id: signs and leading zeros make another.
        guard description == text else { return nil }
    }

    /// As text, which `init(_:)` reads.
    public var description: String { "\(cluster)/\(shard)/\(position)/\(index)" }
}
