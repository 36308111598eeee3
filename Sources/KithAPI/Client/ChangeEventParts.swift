import CGRPCShim
public import KithCore

/// A serialised `kith.v1.ChangeEvent`, as topics carry it, read without a detour over JSON.
public struct ChangeEventParts: Sendable {
    /// A vector, or its digest.
    public struct Vector: Sendable {
        /// The vector space; empty for the only one.
        public var space: String
        /// Little-endian components; empty where the events carry digests only.
        public var data: [UInt8]
        /// XXH3-64 of the components; 0 where the events leave vectors out.
        public var digest: UInt64
    }

    /// The point before or after.
    public struct Image: Sendable {
        /// Nil where it is missing or malformed.
        public var id: PointID?
        /// A JSON object; empty where the point has none.
        public var payload: String
        /// By the collection's policy: none, digests, or whole.
        public var vectors: [Vector]
        /// Grows with each change of the point.
        public var version: UInt64
    }

    /// The model of a vector space.
    public struct Model: Sendable {
        /// `space` is empty for the only one, `revision` where none was named.
        public var space, id, revision: String
    }

    /// `<cluster>/<collection id>.<shard>/<position>/<index>`: the same for every copy; an `EventID`, unless it is of a snapshot.
    public var id: String
    /// As on the wire; unknown values come through.
    public var operation: Int32
    /// Nil where there was, or is, no point; with a `claim` they have no more than id and version.
    public var before, after: Image?
    /// `payload`, `payload.<key>` and `vectors.<space>` that differ; of updates only.
    public var changedFields: [String]
    /// The collection by its name when the event was published; the request's id is empty where it had none.
    public var cluster, collection, requestID: String
    /// The collection by what never changes, and the event's place among those of its commit, from 0.
    public var collectionID, shard, index: UInt32
    /// The commit, which grows within a shard.
    public var position: UInt64
    /// Microseconds since 1970.
    public var time: Int64
    /// Of the point; 0 where there was none before. A deletion has a version, too.
    public var versionBefore, versionAfter: UInt64
    /// Who asked, with what; empty where it is not known.
    public var actor, clientName, clientVersion, clientAddress, method: String
    /// Of the vector spaces that name one.
    public var models: [Model]
    /// The id and the bytes of the whole event, where its images were too large.
    public var claim: (event: String, bytes: UInt64)?

    /// Nil where the bytes are no such message.
    public init?(_ bytes: [UInt8]) {
        var view = KithChangeRecordView()
        guard let handle = bytes.withUnsafeBytes({ kith_decode_change_event(KithBytes(ByteView($0)), &view) }) else { return nil }
        defer { kith_message_free(handle) }
        self.init(view)
    }

    /// Everything is copied out of the view.
    private init(_ view: KithChangeRecordView) {
        let event = view.event
        id = event.id.text
        operation = event.op
        before = Image(event.before)
        after = Image(event.after)
        changedFields = UnsafeBufferPointer(start: event.changed_fields, count: event.changed_field_count).map(\.text)
        (cluster, collection, requestID) = (event.cluster.text, event.collection.text, event.request_id.text)
        (collectionID, shard, index) = (event.collection_id, event.shard, event.index)
        (position, time) = (event.position, event.ts_us)
        (versionBefore, versionAfter) = (event.version_before, event.version_after)
        (actor, method) = (view.actor.text, view.method.text)
        (clientName, clientVersion, clientAddress) = (view.client_name.text, view.client_version.text, view.client_address.text)
        models = UnsafeBufferPointer(start: view.models, count: view.model_count).map {
            Model(space: $0.space.text, id: $0.id.text, revision: $0.revision.text)
        }
        claim = view.is_claimed ? (view.claimed_event.text, event.claimed_bytes) : nil
    }
}

extension ChangeEventParts.Image {
    /// Nil where the event has no such image.
    fileprivate init?(_ view: KithPointImageView) {
        guard view.present else { return nil }
        id = try? WireValues.pointID(view.id, field: "id")
        payload = view.payload_json.text
        vectors = UnsafeBufferPointer(start: view.vectors, count: view.vector_count).map {
            ChangeEventParts.Vector(space: $0.space.text, data: Array($0.data.view.bytes), digest: $0.digest)
        }
        version = view.version
    }
}
