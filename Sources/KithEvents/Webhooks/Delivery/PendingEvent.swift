import Foundation
import KithCore

/// An event that waits for its endpoint: bytes of its own, for the log may be read on meanwhile.
struct PendingEvent: Sendable, Codable {
    struct Header: Sendable, Codable {
        /// Lower case.
        var name: String
        var value: String
    }

    var collection: String
    var shard: String
    var position: LogPosition
    var index: Int
    var id: String
    /// CloudEvents' attributes and `content-type`, as text.
    var headers: [Header]
    var value: Data

    init(_ event: EncodedEvent, at position: LogPosition, of shard: ShardID, collection: String) {
        self.collection = collection
        self.shard = shard.description
        self.position = position
        index = event.index
        value = Data(event.value.bytes)
        // An attribute without a value is none.
        headers = event.headers.filter { !$0.value.isEmpty }.map { Header(name: "\($0.name)", value: $0.value.text) }
        id = headers.first { $0.name == "ce_id" }?.value ?? ""
    }

    var byteCount: Int { value.count + headers.reduce(0) { $0 + $1.value.utf8.count } }
}
