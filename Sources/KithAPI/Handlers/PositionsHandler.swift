import CGRPCShim
import KithCollections
import KithCore
import KithEvents

/// GetPositions.
struct PositionsHandler {
    let engine: Engine

    func handle(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(GetPositionsRequest.self, "kith.v1.GetPositionsRequest", bytes)
        let shards = try engine.catalogue.collection(request.collection).shards
        func positions(_ position: (Shard) -> LogPosition?) -> [PositionMessage] {
            shards.compactMap { shard in
                position(shard).map { PositionMessage(ShardPosition(shard: shard.id.shard, position: $0)) }
            }
        }
        let response = GetPositionsResponse(
            earliest: positions(\.firstPosition), latest: positions(\.lastPosition),
            published: positions { engine.relay?.published($0.id) })
        return try JSONCall.encode(response, "kith.v1.GetPositionsResponse")
    }
}
