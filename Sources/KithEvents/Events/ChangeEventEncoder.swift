internal import CGRPCShim
public import KithCore

/// Makes the events of commits: the one message that Kafka, `Subscribe` and webhooks carry.
///
/// It uses its buffers again from event to event: one encoder a thread.
public final class ChangeEventEncoder {
    private let cluster: String
    private var texts: CollectionTexts?
    private var text = EventText()
    private var cloudEvent = CloudEvent()
    private let views = EventViews()

    /// - Parameter cluster: the cluster's id, which begins every event's id.
    public init(cluster: String) { self.cluster = cluster }

    /// Visits the events of a commit in order, from place `first` on, until `visit` answers false.
    ///
    /// - Parameters:
    ///   - feed: where the commit comes from; asked for the bytes of full vectors.
    ///   - vectors: how vectors stand in the events; the collection's policy where nil.
    ///   - encoding: of the values; the collection's where nil.
    /// - Throws: `CORRUPTION` where the commit names a vector space that the collection lacks.
    public func encode(
        _ commit: Commit, from first: Int = 0, of definition: CollectionDefinition, feed: any ChangeFeed,
        vectors: EventVectors? = nil, encoding: EventEncoding? = nil, _ visit: (EncodedEvent) throws(KithError) -> Bool
    ) throws(KithError) {
        let texts = try self.texts(of: definition)
        let encoding = encoding ?? definition.eventEncoding
        text.begin(commit, shard: feed.shard, cluster: cluster)
        cloudEvent.setTraceparent(ByteView(kith_view_request_context(KithBytes(commit.context)).traceparent))
        for index in first..<max(first, commit.changes.count) {
            let change = commit.changes[index]
            text.beginEvent(change.operation, index: index, point: change.id)
            appendChangedFields(of: change, texts)
            let proceeds = try text.bytes.withUnsafeBufferPointer { (bytes) throws(KithError) in
                let event = try view(
                    change, index, commit, bytes, texts, vectors: vectors ?? definition.eventVectors, feed: feed)
                let buffer = try EventBuffer(event, as: encoding)
                let key = bytes.view(text.key)
                cloudEvent.set(
                    id: bytes.view(text.id), source: texts.source.view, operation: change.operation,
                    subject: bytes.view(text.subject), time: bytes.view(text.time), key: key,
                    sequence: bytes.view(text.sequence), encoding: encoding)
                return try visit(EncodedEvent(index: index, key: key, value: buffer.bytes, headers: cloudEvent.headers))
            }
            guard proceeds else { return }
        }
    }

    /// The events of a commit as serialised `kith.v1.ChangeEvent` messages.
    ///
    /// - Parameter vectors: how vectors stand in the events; the collection's policy where nil.
    public func messages(
        of commit: Commit, definition: CollectionDefinition, feed: any ChangeFeed, vectors: EventVectors? = nil
    ) throws(KithError) -> EncodedEvents {
        var events = EncodedEvents()
        try encode(commit, of: definition, feed: feed, vectors: vectors, encoding: .protobuf) { (event) throws(KithError) in
            events.append(event.value)
            return true
        }
        return events
    }

    private func texts(of definition: CollectionDefinition) throws(KithError) -> CollectionTexts {
        if let texts, texts.isOf(definition) { return texts }
        let made = try CollectionTexts(cluster: cluster, definition: definition)
        texts = made
        return made
    }

    private func appendChangedFields(of change: Change, _ texts: CollectionTexts) {
        guard change.operation == .update, let before = change.before, let after = change.after else { return }
        if !before.payload.bytes.elementsEqual(after.payload.bytes) {
            text.appendField("payload")
            for key in changedKeys(from: before.payload, to: after.payload) { text.appendField("payload.", key) }
        }
        for (space, name) in texts.spaceNames.enumerated() where before.digest(of: space) != after.digest(of: space) {
            text.appendField("vectors.", name)
        }
    }

    /// The event as C sees it; borrows from `bytes`, `views`, the commit and the feed.
    private func view(
        _ change: Change, _ index: Int, _ commit: Commit, _ bytes: UnsafeBufferPointer<UInt8>, _ texts: CollectionTexts,
        vectors: EventVectors, feed: any ChangeFeed
    ) throws(KithError) -> KithChangeEventView {
        let point =
            switch change.id {
            case .number(let number): KithPointIDView(kind: KITH_ID_NUMBER, number: number, bytes: KithBytes())
            case .uuid: KithPointIDView(kind: KITH_ID_UUID, number: 0, bytes: KithBytes(bytes.view(text.uuid)))
            case .string: KithPointIDView(kind: KITH_ID_NAME, number: 0, bytes: KithBytes(bytes.view(text.key)))
            }
        let fields = views.fields(text.fields, of: bytes)
        return KithChangeEventView(
            id: KithBytes(bytes.view(text.id)),
            op: Int32(change.operation.rawValue),
            before: try views.image(change.before, .before, of: point, policy: vectors, texts: texts, feed: feed),
            after: try views.image(change.after, .after, of: point, policy: vectors, texts: texts, feed: feed),
            changed_fields: fields.baseAddress,
            changed_field_count: fields.count,
            cluster: KithBytes(texts.cluster.view),
            collection: KithBytes(texts.collection.view),
            collection_id: feed.shard.collection,
            shard: UInt32(feed.shard.shard),
            position: commit.position,
            index: UInt32(index),
            count: UInt32(commit.changes.count),
            request_id: KithBytes(bytes.view(text.request)),
            ts_us: commit.time,
            context: KithBytes(commit.context),
            schema_version: commit.schemaVersion,
            models: KithBytes(texts.models.view),
            version_before: change.before?.version ?? 0,
            version_after: commit.version(ofChange: index),
            transaction: KithBytes(),
            claimed_bytes: 0)
    }
}

extension ByteView {
    init(_ bytes: KithBytes) { self.init(start: bytes.data, count: bytes.size) }
}

extension PointImage {
    /// Nil where the point has no vector in that space.
    fileprivate func digest(of space: Int) -> UInt64? { vectors.first { $0.space == space }?.digest }
}
