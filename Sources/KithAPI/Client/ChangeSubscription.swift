import CGRPCShim
public import Foundation
public import KithCore

/// Follows the changes of a collection, as JSON.
public final class ChangeSubscription: @unchecked Sendable {
    /// Where to begin. Raw values are those of the wire.
    public enum Start: String, Sendable {
        /// What is committed from now on.
        case now = "START_NOW"
        /// After the positions given; from the first commit that is kept in shards that have none.
        case position = "START_POSITION"
        /// Every point as it stands, then what changes.
        case snapshot = "START_SNAPSHOT"
    }

    private struct Request: Encodable {
        struct Position: Encodable {
            var shard: Int
            var position: String
        }
        var collection: String
        var start: String
        var positions: [Position]
        var heartbeatMilliseconds: Int
        var vectors: Bool
    }

    private let stream: MessageStream

    /// Opens the stream; what the server has against the request is thrown by the first `next`.
    ///
    /// - Parameters:
    ///   - positions: where to begin with `Start.position`, by shard: after these commits.
    ///   - heartbeatMilliseconds: after so long without an event the server says how far it is.
    ///   - vectors: whole, whatever the collection's policy is.
    public init(
        _ client: KithClient, collection: String, start: Start, positions: [ShardPosition] = [],
        heartbeatMilliseconds: Int = 1_000, vectors: Bool = false
    ) throws(KithError) {
        let request = Request(
            collection: collection, start: start.rawValue,
            positions: positions.map { Request.Position(shard: Int($0.shard), position: "\($0.position)") },
            heartbeatMilliseconds: heartbeatMilliseconds, vectors: vectors)
        let message = try MessageJSON.encode(try MessageJSON.data(request), as: "kith.v1.SubscribeRequest")
        stream = try MessageStream(client, "/kith.v1.ChangeService/Subscribe", request: message)
    }

    /// The next `SubscribeResponse` as JSON without default values; nil after the end. Blocks.
    ///
    /// - Throws: what the stream ended with.
    public func next() throws(KithError) -> Data? {
        guard let message = stream.read() else {
            try stream.finish()
            return nil
        }
        return try message.withBytes { (bytes) throws(KithError) in
            try MessageJSON.decode(bytes, as: "kith.v1.SubscribeResponse", defaults: false)
        }
    }

    /// Ends the subscription; a blocked `next` throws `CANCELLED`. From any thread.
    public func cancel() { stream.cancel() }
}
