public import KithCore
import KithStorage

extension Collection {
    /// The last item of an upsert stream that every shard has committed; 0 for a stream that is new.
    public func lastItem(ofStream streamID: String) throws(KithError) -> UInt64 {
        if streamID.isEmpty { return 0 }
        var slowest = UInt64.max
        for shard in shards { slowest = min(slowest, try shard.lastItem(ofStream: streamID)) }
        return slowest
    }
}

extension Shard {
    func lastItem(ofStream streamID: String) throws(KithError) -> UInt64 {
        let key = Keys.stream(id, streamID)
        return try database.withValue(.requests, key: key) { $0.count >= 8 ? $0.littleEndian(at: 0) : 0 } ?? 0
    }
}
