internal import CGRPCShim
import KithCore

/// A record that is made seldom enough to be made of strings.
struct PlainRecord {
    var topic: EventTopic
    var key: String
    var id: String
    var source: String
    var type: String
    var subject: String
    /// Microseconds since 1970.
    var time: Int64
    /// A URI.
    var schema: String
    var sequence: String
    var traceparent: ByteView

    /// - Parameter message: the full name of the value's message.
    static func schema(of message: String) -> String { "urn:kith:schema:\(message)" }

    /// Calls `visit` with the record; it is valid during the visit only.
    func visit(
        _ value: borrowing EventBuffer, _ encoding: EventEncoding, _ visit: (EncodedEvent) throws(KithError) -> Void
    ) throws(KithError) {
        try self.visit(bytes: value.bytes, encoding, visit)
    }

    /// The same, of a value that is no message.
    func visit(
        bytes value: ByteView, _ encoding: EventEncoding, _ visit: (EncodedEvent) throws(KithError) -> Void
    ) throws(KithError) {
        var text: [UInt8] = []
        text.append(timestamp: time)
        let time = String(decoding: text, as: UTF8.self)
        let owned = [key, id, source, type, subject, time, schema, sequence].map {
            OwnedBytes(Array($0.utf8))
        }
        defer { withExtendedLifetime(owned) {} }
        let views = owned.map(\.view)
        var cloudEvent = CloudEvent()
        cloudEvent.setTraceparent(traceparent)
        cloudEvent.set(
            id: views[1], source: views[2], type: views[3], subject: views[4], time: views[5], key: views[0],
            schema: views[6], sequence: views[7], encoding: encoding)
        try visit(
            EncodedEvent(topic: topic, index: 0, key: views[0], value: value, headers: cloudEvent.headers))
    }
}

/// Texts of records that one shard's commits share.
struct CommitTexts {
    let commit: Commit
    let shard: ShardID
    let cluster: String

    /// `<cluster>/<collection id>.<shard>/<position>`.
    var id: String { "\(cluster)/\(shard.collection).\(shard.shard)/\(commit.position)" }

    /// Sorts as the records of one shard do.
    func sequence(_ index: Int) -> String {
        var text: [UInt8] = []
        text.append(sequencePosition: commit.position, index: UInt64(index))
        return String(decoding: text, as: UTF8.self)
    }

    var request: KithRequestContextView { kith_view_request_context(KithBytes(commit.context)) }
}

extension ByteView {
    init(_ bytes: KithBytes) { self.init(start: bytes.data, count: bytes.size) }
}
