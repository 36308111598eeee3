import Foundation
import KithAPI
import KithCommands
package import KithCore

/// A message that no attempt can make good; why is for the person who reads the dead letters.
package struct Poison: Error, Equatable {
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}

/// Where an event stands among all events of its shard: later ones are greater, also across a collection that was made anew.
package struct EventPlace: Codable, Hashable, Comparable, Sendable {
    /// The collection's id: one made anew has a greater one.
    package var collection: UInt32
    /// Of its commit in the shard's log.
    package var position: UInt64
    /// Among the commit's events, from 0.
    package var index: UInt32

    package init(collection: UInt32, position: UInt64, index: UInt32) {
        self.collection = collection
        self.position = position
        self.index = index
    }

    package static func < (left: EventPlace, right: EventPlace) -> Bool {
        (left.collection, left.position, left.index) < (right.collection, right.position, right.index)
    }
}

/// A `kith.v1.ChangeEvent` as a topic carried it.
package struct ChangeRecord: Sendable {
    /// What happened to the point. `read`: nothing, it is part of a snapshot.
    package enum Operation: String, Sendable {
        case create, update, delete, read
    }

    /// A vector, or its digest, by the collection's policy.
    package struct Vector: Sendable, Equatable {
        package var space: String
        /// Little-endian components; empty where the events carry digests only.
        package var data: [UInt8]
        /// XXH3-64 of the components; 0 where the events leave vectors out.
        package var digest: UInt64
    }

    /// The point before or after.
    package struct Image: Sendable {
        package var id: PointID
        /// A JSON object; empty where the point has none.
        package var payload: String
        package var vectors: [Vector]
        package var version: UInt64
    }

    /// The model of a vector space.
    package struct Model: Sendable, Equatable {
        package var space: String
        /// `<id>@<revision>`, or the id alone.
        package var text: String

        init(space: String, id: String, revision: String) {
            self.space = space
            text = revision.isEmpty ? id : "\(id)@\(revision)"
        }
    }

    /// What stands for images that were too large for Kafka.
    package struct Claim: Sendable, Equatable {
        /// Of the whole event.
        package var event: String
        /// Of the whole event, as protobuf.
        package var bytes: Int
    }

    /// `<cluster>/<collection id>.<shard>/<position>/<index>`, and `points/<point id>` for the index of a `read`: the same for every copy.
    package var id: String
    package var operation: Operation
    /// Nil for `create` and `read`.
    package var before: Image?
    /// Nil for `delete`.
    package var after: Image?
    /// `payload`, `payload.<key>` and `vectors.<space>` that differ; of updates only.
    package var changedFields: [String]
    /// The name of the database it happened in.
    package var cluster: String
    package var collection: String
    package var shard: UInt32
    package var place: EventPlace
    /// Of the request that wrote it; empty where it had none.
    package var requestID: String
    /// Microseconds since 1970.
    package var time: Int64
    /// The version that the change gave the point; of a deletion whose version was not recorded, the one before.
    package var version: UInt64
    /// The message it came in.
    package var source: ConsumedRecord

    /// The point it is about.
    package var point: PointID
    /// Who wrote it, or else with which program; empty where neither is known.
    package var writer: String
    /// Of the spaces that declare one.
    package var models: [Model]
    /// Set where the images have neither payload nor vectors, for they were too large.
    package var claim: Claim?
}

extension ChangeRecord {
    /// Says that commits are missing before it, which the change log dropped.
    package static let gapType = "io.kith.changes.gap.v1"

    /// Reads a record of a changes topic, in protobuf or JSON as its `content-type` says.
    ///
    /// - Throws: why it cannot be one.
    package init(_ record: ConsumedRecord) throws(Poison) {
        guard let value = record.value else { throw Poison("the record has no value") }
        switch record.header("content-type") ?? "application/protobuf" {
        case "application/json":
            let json = Data(try EventValue.unframed(value, isProtobuf: false))
            let message: Message
            do { message = try JSONDecoder().decode(Message.self, from: json) } catch {
                throw Poison("the value is no kith.v1.ChangeEvent: \(Message.describe(error))")
            }
            try self.init(message, record)
        case "application/protobuf":
            guard let event = ChangeEventParts(try EventValue.unframed(value, isProtobuf: true)) else {
                throw Poison("the value is no kith.v1.ChangeEvent")
            }
            try self.init(event, record)
        case let type: throw Poison("the content-type is '\(type)', neither application/protobuf nor application/json")
        }
    }

    /// Reads what GetEvent answered in the place of a record without images.
    init(answer: Data, for record: ConsumedRecord) throws(Poison) {
        let message: Message
        do { message = try JSONDecoder().decode(Answer.self, from: answer).event } catch {
            throw Poison("the server's answer is no kith.v1.ChangeEvent: \(Message.describe(error))")
        }
        try self.init(message, record)
    }

    private init(_ message: Message, _ record: ConsumedRecord) throws(Poison) {
        guard let operation = Operation(rawValue: message.op.split(separator: "_").last?.lowercased() ?? "") else {
            throw Poison("the operation is '\(message.op)'")
        }
        let before = try message.before?.image()
        let after = try message.after?.image()
        guard let image = after ?? before, !message.id.isEmpty else { throw Poison("the event is about no point") }
        guard (operation == .delete) == (after == nil) else { throw Poison("a \(operation.rawValue) has no such images") }
        self.init(
            id: message.id, operation: operation, before: before, after: after, changedFields: message.changedFields ?? [],
            cluster: message.source.cluster ?? "", collection: message.source.collection ?? "",
            shard: message.source.shard ?? 0,
            place: EventPlace(
                collection: message.source.collectionId ?? 0, position: try Message.number(message.source.position, "position"),
                index: message.source.index ?? 0),
            requestID: message.source.requestId ?? "", time: Int64(clamping: try Message.number(message.source.tsUs, "ts_us")),
            version: try message.version(image), source: record, point: image.id,
            writer: message.source.context?.actor?.id ?? message.source.context?.client?.name ?? "",
            models: (message.source.models ?? []).map(\.change),
            claim: try message.claimCheck?.claim())
    }

    /// `2026-11-21T10:00:00.000000Z`.
    package var timestamp: String { ChangeRecord.timestamp(time) }

    /// Microseconds since 1970 as RFC 3339 has them, in UTC.
    package static func timestamp(_ microseconds: Int64) -> String {
        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let whole = rest < 0 ? seconds - 1 : seconds
        let date = Date(timeIntervalSince1970: Double(whole)).ISO8601Format()
        let digits = String(rest < 0 ? rest + 1_000_000 : rest)
        return "\(date.dropLast()).\(String(repeating: "0", count: 6 - digits.count))\(digits)Z"
    }
}

private struct Answer: Decodable { var event: Message }

/// The event in protobuf's JSON, fields of default value left out.
private struct Message: Decodable {
    struct Image: Decodable {
        struct Vector: Decodable {
            var space: String?
            var data: String?
            var digest: String?
        }
        var id: WireID?
        var payloadJson: String?
        var vectors: [Vector]?
        var version: String?

        func image() throws(Poison) -> ChangeRecord.Image {
            guard let id else { throw Poison("the point has no id") }
            guard let point = id.id else { throw Poison("the point's id is malformed") }
            var vectors: [ChangeRecord.Vector] = []
            for vector in self.vectors ?? [] {
                guard let data = Data(base64Encoded: vector.data ?? "") else { throw Poison("a vector is not base64") }
                vectors.append(
                    ChangeRecord.Vector(
                        space: vector.space ?? "", data: [UInt8](data), digest: try Message.number(vector.digest, "digest")))
            }
            return ChangeRecord.Image(
                id: point, payload: payloadJson ?? "", vectors: vectors, version: try Message.number(version, "version"))
        }
    }
    var id: String
    var op: String
    var before: Image?
    var after: Image?
    var changedFields: [String]?
    var source: EventSource
    var versionAfter: String?
    var claimCheck: ClaimCheck?

    struct ClaimCheck: Decodable {
        var eventId: String?
        var bytes: String?

        func claim() throws(Poison) -> ChangeRecord.Claim {
            ChangeRecord.Claim(event: eventId ?? "", bytes: Int(clamping: try Message.number(bytes, "claim_check.bytes")))
        }
    }

    func version(_ image: ChangeRecord.Image) throws(Poison) -> UInt64 {
        let version = try Message.number(versionAfter, "version_after")
        return version > 0 ? version : image.version
    }

    /// A number of 64 bits, which protobuf's JSON writes as text.
    static func number(_ text: String?, _ field: String) throws(Poison) -> UInt64 {
        guard let text else { return 0 }
        guard let number = UInt64(text) else { throw Poison("\(field) is '\(text)'") }
        return number
    }

    static func describe(_ error: any Error) -> String {
        switch error as? DecodingError {
        case .keyNotFound(let key, _): "there is no '\(key.stringValue)'"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' is of another type"
        default: "malformed JSON"
        }
    }
}
