internal import CGRPCShim
public import KithCore

/// Makes the events of commits: the one message that Kafka, `Subscribe` and webhooks carry.
///
/// It uses its buffers again from event to event: one encoder a thread.
public final class ChangeEventEncoder {
    /// What a header costs a broker beside its bytes, and a record beside its headers, at most.
    private static let headerOverhead = 8
    private static let recordOverhead = 128

    private let cluster: String
    private let maximumBytes: Int
    private var texts: CollectionTexts?
    private var text = EventText()
    private var cloudEvent = CloudEvent()
    private let views = EventViews()

    /// - Parameters:
    ///   - cluster: the cluster's id, which begins every event's id.
    ///   - maximumBytes: of key, headers and value together; larger events leave a claim check.
    public init(cluster: String, maximumBytes: Int = .max) {
        self.cluster = cluster
        self.maximumBytes = maximumBytes
    }

    // MARK: Changes

    /// Visits the change events of a commit in order, from place `first` on, until `visit` answers false: each whole, and without a registry's
    /// frame.
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
        let form = Form(
            vectors: vectors ?? definition.eventVectors, encoding: encoding ?? definition.eventEncoding, frame: nil,
            maximumBytes: .max)
        try encode(commit, from: first, of: definition, try texts(of: definition), feed, form, visit)
    }

    /// The same, as the collection's topic has them: framed where the collection says so, and with a claim check where they are too large.
    func encodeRecords(
        _ commit: Commit, from first: Int, of definition: CollectionDefinition, feed: any ChangeFeed,
        _ visit: (EncodedEvent) throws(KithError) -> Bool
    ) throws(KithError) {
        let texts = try self.texts(of: definition)
        let form = Form(
            vectors: definition.eventVectors, encoding: definition.eventEncoding, frame: texts.changeFrame,
            maximumBytes: maximumBytes)
        try encode(commit, from: first, of: definition, texts, feed, form, visit)
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

    /// How an event is written.
    private struct Form {
        var vectors: EventVectors
        var encoding: EventEncoding
        var frame: OwnedBytes?
        var maximumBytes: Int
    }

    private func encode(
        _ commit: Commit, from first: Int, of definition: CollectionDefinition, _ texts: CollectionTexts,
        _ feed: any ChangeFeed, _ form: Form, _ visit: (EncodedEvent) throws(KithError) -> Bool
    ) throws(KithError) {
        begin(commit, feed.shard)
        let isFramed = definition.events.transactions && commit.changes.count > 1
        for index in first..<max(first, commit.changes.count) {
            let change = commit.changes[index]
            text.beginEvent(change.operation, index: index, point: change.id)
            appendChangedFields(of: change, texts)
            let proceeds = try text.bytes.withUnsafeBufferPointer { (bytes) throws(KithError) in
                var event = try view(change, index, commit, bytes, texts, vectors: form.vectors, feed: feed)
                if isFramed, change.operation != .read { event.transaction = KithBytes(bytes.view(text.commit)) }
                let key = bytes.view(text.key)
                cloudEvent.set(
                    id: bytes.view(text.id), source: texts.source.view, type: CloudEvent.type(change.operation),
                    subject: bytes.view(text.subject), time: bytes.view(text.time), key: key, schema: CloudEvent.changeSchema,
                    sequence: bytes.view(text.sequence), encoding: form.encoding)
                return try value(of: &event, form, room: room(key, form)) { (value) throws(KithError) in
                    try visit(
                        EncodedEvent(topic: .changes, index: index, key: key, value: value, headers: cloudEvent.headers))
                }
            }
            guard proceeds else { return }
        }
    }

    private func begin(_ commit: Commit, _ shard: ShardID) {
        text.begin(commit, shard: shard, cluster: cluster)
        cloudEvent.setTraceparent(ByteView(kith_view_request_context(KithBytes(commit.context)).traceparent))
    }

    /// Bytes that are left for a value.
    private func room(_ key: ByteView, _ form: Form) -> Int {
        guard form.maximumBytes < .max else { return .max }
        let headers = cloudEvent.headers.reduce(0) {
            $0 + $1.name.utf8CodeUnitCount + $1.value.count + ChangeEventEncoder.headerOverhead
        }
        return form.maximumBytes - key.count - headers - ChangeEventEncoder.recordOverhead
    }

    /// Calls `body` with the event as it is written: whole where there is room for it, else with a claim check.
    private func value<Answer>(
        of event: inout KithChangeEventView, _ form: Form, room: Int, _ body: (ByteView) throws(KithError) -> Answer
    ) throws(KithError) -> Answer {
        let schema = "kith.v1.ChangeEvent"
        if form.encoding == .protobuf, let frame = form.frame { event.frame = KithBytes(frame.view) }
        let whole = try EventBuffer(message: kith_encode_change_event(&event), schema, as: form.encoding)
        let jsonFrame = form.encoding == .json ? form.frame : nil
        if whole.bytes.count + (jsonFrame?.view.count ?? 0) <= room { return try whole.framed(by: jsonFrame, body) }
        event.claimed_bytes = UInt64(try protobufBytes(of: event))
        let claim = try EventBuffer(message: kith_encode_change_event(&event), schema, as: form.encoding)
        return try claim.framed(by: jsonFrame, body)
    }

    private func protobufBytes(of event: KithChangeEventView) throws(KithError) -> Int {
        var event = event
        event.frame = KithBytes()
        return try EventBuffer(owning: kith_encode_change_event(&event)).bytes.count
    }

    // MARK: State

    /// Visits the record of the state topic that a change leaves behind: its after image, or a tombstone.
    func encodeState(
        _ commit: Commit, at index: Int, of definition: CollectionDefinition, feed: any ChangeFeed,
        _ visit: (EncodedEvent) throws(KithError) -> Void
    ) throws(KithError) {
        let texts = try self.texts(of: definition)
        let form = Form(
            vectors: definition.events.stateVectors, encoding: definition.eventEncoding, frame: texts.stateFrame,
            maximumBytes: maximumBytes)
        begin(commit, feed.shard)
        let change = commit.changes[index]
        text.beginEvent(change.operation, index: index, point: change.id)
        text.appendToID("/state")
        try text.bytes.withUnsafeBufferPointer { (bytes) throws(KithError) in
            let key = bytes.view(text.key)
            cloudEvent.set(
                id: bytes.view(text.id), source: texts.source.view, type: CloudEvent.stateType, subject: bytes.view(text.subject),
                time: bytes.view(text.time), key: key, schema: CloudEvent.stateSchema, sequence: bytes.view(text.sequence),
                encoding: form.encoding)
            func send(_ value: ByteView) throws(KithError) {
                try visit(EncodedEvent(topic: .state, index: index, key: key, value: value, headers: cloudEvent.headers))
            }
            guard let after = change.after else { return try send(.empty) }
            let image = try views.image(
                after, .after, of: point(change.id, bytes), policy: form.vectors, texts: texts, feed: feed)
            try stateValue(of: image, form, room: room(key, form), send)
        }
    }

    /// An image too large for the broker keeps id and version: the point itself can be read.
    private func stateValue(
        of image: KithPointImageView, _ form: Form, room: Int, _ body: (ByteView) throws(KithError) -> Void
    ) throws(KithError) {
        var image = image
        let frame = form.frame.map { KithBytes($0.view) } ?? KithBytes()
        let jsonFrame = form.encoding == .json ? form.frame : nil
        for isClaimed in [false, true] {
            let message = kith_encode_point_image(&image, isClaimed, form.encoding == .protobuf ? frame : KithBytes())
            let buffer = try EventBuffer(message: message, "kith.v1.PointImage", as: form.encoding)
            guard isClaimed || buffer.bytes.count + (jsonFrame?.view.count ?? 0) <= room else { continue }
            return try buffer.framed(by: jsonFrame, body)
        }
    }

    // MARK: Parts of an event

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

    private func point(_ id: PointID, _ bytes: UnsafeBufferPointer<UInt8>) -> KithPointIDView {
        switch id {
        case .number(let number): KithPointIDView(kind: KITH_ID_NUMBER, number: number, bytes: KithBytes())
        case .uuid: KithPointIDView(kind: KITH_ID_UUID, number: 0, bytes: KithBytes(bytes.view(text.uuid)))
        case .string: KithPointIDView(kind: KITH_ID_NAME, number: 0, bytes: KithBytes(bytes.view(text.key)))
        }
    }

    /// The event as C sees it; borrows from `bytes`, `views`, the commit and the feed.
    private func view(
        _ change: Change, _ index: Int, _ commit: Commit, _ bytes: UnsafeBufferPointer<UInt8>, _ texts: CollectionTexts,
        vectors: EventVectors, feed: any ChangeFeed
    ) throws(KithError) -> KithChangeEventView {
        let point = point(change.id, bytes)
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
            frame: KithBytes(),
            claimed_bytes: 0)
    }
}

extension PointImage {
    /// Nil where the point has no vector in that space.
    fileprivate func digest(of space: Int) -> UInt64? { vectors.first { $0.space == space }?.digest }
}
