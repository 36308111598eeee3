/// Where an event comes from: `kith.v1.ChangeSource` and `kith.v1.NodeSource` in protobuf's JSON, fields of default value left out.
struct EventSource: Decodable {
    var cluster, collection: String?
    var collectionId, shard, index: UInt32?
    var position, requestId, tsUs: String?
    var context: EventContext?
    var models: [EventModel]?

    /// Microseconds since 1970; nil where it is not told.
    var time: Int64? { tsUs.flatMap(Int64.init) }
}

/// Who asked for what an event tells, and how.
struct EventContext: Decodable {
    struct Actor: Decodable { var id: String? }
    struct Client: Decodable { var name, version, address: String? }
    var actor: Actor?
    var client: Client?
    var method: String?
}

/// A model as vector spaces name it, and as it is registered.
struct EventModel: Decodable {
    /// The vector space, where it is told of one.
    var space: String?
    var id, revision: String?
    /// Of registered ones.
    var owner: String?

    /// `<id>@<revision>`, or the id alone.
    var text: String { change.text }

    /// As changes have it.
    var change: ChangeRecord.Model { ChangeRecord.Model(space: space ?? "", id: id ?? "", revision: revision ?? "") }
}
