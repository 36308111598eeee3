import KithAPI
import KithCore

extension ChangeRecord {
    /// An event in protobuf, read without a detour over JSON: what `etl` spends most of its time with.
    init(_ event: ChangeEventParts, _ record: ConsumedRecord) throws(Poison) {
        let operations: [Operation] = [.create, .update, .delete, .read]
        guard operations.indices.contains(Int(event.operation) - 1) else { throw Poison("the operation is '\(event.operation)'") }
        let operation = operations[Int(event.operation) - 1]
        let before = try event.before.map(Image.init)
        let after = try event.after.map(Image.init)
        guard let image = after ?? before, !event.id.isEmpty else { throw Poison("the event is about no point") }
        guard (operation == .delete) == (after == nil) else { throw Poison("a \(operation.rawValue) has no such images") }
        self.init(
            id: event.id, operation: operation, before: before, after: after, changedFields: event.changedFields,
            cluster: event.cluster, collection: event.collection, shard: event.shard,
            place: EventPlace(collection: event.collectionID, position: event.position, index: event.index),
            requestID: event.requestID, time: event.time, version: event.versionAfter > 0 ? event.versionAfter : image.version,
            source: record, point: image.id, writer: event.actor.isEmpty ? event.clientName : event.actor,
            models: event.models.map { Model(space: $0.space, id: $0.id, revision: $0.revision) },
            claim: event.claim.map { Claim(event: $0.event, bytes: Int(clamping: $0.bytes)) })
    }
}

extension ChangeRecord.Image {
    fileprivate init(_ image: ChangeEventParts.Image) throws(Poison) {
        guard let id = image.id else { throw Poison("the point has no id") }
        self.init(
            id: id, payload: image.payload,
            vectors: image.vectors.map { ChangeRecord.Vector(space: $0.space, data: $0.data, digest: $0.digest) },
            version: image.version)
    }
}
