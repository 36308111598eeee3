import CGRPCShim
import KithCollections
import KithCore
import KithEvents

/// GetEvent.
struct EventHandler {
    let engine: Engine

    func handle(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(GetEventRequest.self, "kith.v1.GetEventRequest", bytes)
        guard let id = EventID(request.id) else {
            throw .invalid(
                .invalidValue, field: "id", "'\(request.id)' is no <cluster>/<collection id>.<shard>/<position>/<index>",
                metadata: ["id": request.id])
        }
        guard id.cluster == engine.cluster,
            let collection = engine.catalogue.all.first(where: { $0.definition.id == id.shard.collection }),
            let shard = collection.shards.first(where: { $0.id == id.shard }), id.position <= shard.lastPosition
        else { throw EventHandler.notFound(id) }
        var event: WireBuffer?
        _ = try shard.forEachCommit(after: id.position - 1) { commit, _ throws(KithError) in
            let encoder = ChangeEventEncoder(cluster: engine.cluster)
            try encoder.encode(
                commit, from: id.index, of: collection.definition, feed: shard, vectors: request.vectors ? .full : nil,
                encoding: .protobuf
            ) { encoded throws(KithError) in
                event = try WireBuffer(kith_encode_get_event_response(KithBytes(encoded.value)))
                return false
            }
            return false
        }
        guard let event else { throw EventHandler.notFound(id) }
        return try event.checkedAnswer(askFewer: "vectors")
    }

    private static func notFound(_ id: EventID) -> KithError {
        KithError(
            .notFound, .eventNotFound, "id: there is no event \(id)", metadata: ["id": "\(id)"],
            violations: [.init(field: "id", description: "there is no event \(id)")])
    }
}
