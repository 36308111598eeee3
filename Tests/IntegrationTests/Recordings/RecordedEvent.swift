import Foundation
import KithEvents
import TestSupport

/// A record of a topic as it was published, what differs from run to run replaced: its key, its headers, and its value both as bytes and as what
/// they say.
struct RecordedEvent: Codable, Equatable {
    /// Such as `changes`; `subscribe` for what only the stream carries.
    var topic: String
    var key: String
    var headers: [String: String]
    /// In hexadecimal: what a schema registry's readers find before the value.
    var frame: String?
    /// The message as canonical protobuf JSON; nil of a tombstone.
    var value: JSON?
    /// The same message in protobuf, where the record had that.
    var protobuf: Data?

    var type: String { headers["ce_type"] ?? "io.kith.point.read.v1" }

    /// The full name of the value's message.
    var message: String {
        headers["ce_dataschema"].map { $0.replacing("urn:kith:schema:", with: "") } ?? "kith.v1.ChangeEvent"
    }

    /// OpenLineage's events are plain JSON, of which no proto knows.
    private var isOpenLineage: Bool { topic == "lineage" }

    /// What makes a record one of its own: events of one shape say the same things of other points.
    var shape: String {
        let form = [topic, type, headers["content-type"] ?? "", frame == nil ? "" : "framed", value == nil ? "tombstone" : ""]
        let paths = value.map { RecordedEvent.paths($0).sorted() } ?? []
        return (form + ["headers"] + headers.keys.sorted() + ["fields"] + paths).joined(separator: " ")
    }

    /// Fields as `source.context.actor.id`; those of lists as `points[].number`.
    static func paths(_ value: JSON, _ path: String = "") -> Set<String> {
        switch value {
        case .object(let fields):
            fields.reduce(into: []) { $0.formUnion(paths($1.value, path.isEmpty ? $1.key : "\(path).\($1.key)")) }
        case .list(let items): items.reduce(into: []) { $0.formUnion(paths($1, "\(path)[]")) }
        default: [path]
        }
    }

    /// One text for one event: sorted, and read by people.
    var text: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}

// MARK: As published

extension RecordedEvent {
    /// - Throws: where the value is no message of its type, or has fields that the protos do not know.
    init(_ record: KafkaRecord, topic: String) throws {
        self.init(
            topic: topic, key: String(decoding: record.key, as: UTF8.self),
            headers: Dictionary(
                uniqueKeysWithValues: record.headers.map { ($0.name, String(decoding: $0.value, as: UTF8.self)) }))
        guard var bytes = record.value else {
            replaceWhatVaries()
            return
        }
        let isProtobuf = headers["content-type"] != "application/json"
        if bytes.first == 0 {
            // The id in four bytes, and for protobuf the place of the message: one byte for the first of a file, else their number and it.
            let count = !isProtobuf ? 5 : bytes[5] == 0 ? 6 : 7
            frame = bytes[..<count].map { String(format: "%02x", $0) }.joined()
            bytes.removeFirst(count)
        }
        value =
            isProtobuf
            ? try Message.decodeWithoutDefaults(bytes, as: message) : try JSONDecoder().decode(JSON.self, from: Data(bytes))
        replaceWhatVaries()
        // The bytes say what is left to say: a message that is written again is the same message.
        if isProtobuf, let value { protobuf = Data(try Message.encode(value, as: message)) }
        try check()
    }

    /// An event of `Subscribe`.
    init(subscribed event: JSON) throws {
        self.init(topic: "subscribe", key: "", headers: [:], value: event)
        replaceWhatVaries()
        if let value { protobuf = Data(try Message.encode(value, as: message)) }
    }

    /// Today's contract must read the record as it was read then.
    func check() throws {
        guard let value, !isOpenLineage else { return }
        // What JSON names and the protos do not is refused here.
        let bytes = try protobuf.map { [UInt8]($0) } ?? Message.encode(value, as: message)
        let today: JSON = try Message.decodeWithoutDefaults(bytes, as: message)
        guard today == value else {
            let (was, now) = (RecordedEvent.paths(value), RecordedEvent.paths(today))
            throw ChildProcess.Failure(
                description: """
                    \(type) in \(topic) is read in another way than it was recorded; fields no longer there: \(was.subtracting(now).sorted()), \
                    new: \(now.subtracting(was).sorted())
                    was \(value)
                    is \(today)
                    """)
        }
    }
}

// MARK: What varies

extension RecordedEvent {
    private static let time = "2026-11-21T10:00:00.000000Z"
    private static var nodeID: Regex<Substring> { /kith\/0\.0\/\d+\/\d+/ }

    private mutating func replaceWhatVaries() {
        if headers["ce_time"] != nil { headers["ce_time"] = RecordedEvent.time }
        let isOfNode = headers["ce_id"]?.wholeMatch(of: RecordedEvent.nodeID) != nil
        if isOfNode {
            // Requests come to the node's log many to a commit, as time will have it.
            headers["ce_id"] = "kith/0.0/1/1"
            headers["ce_sequence"] = headers["ce_sequence"]?.replacing(/[0-9a-f]/, with: "0")
        }
        key = RecordedEvent.varying("key", .text(key)).string ?? key
        for name in ["ce_subject", "ce_partitionkey"] {
            if let text = headers[name] { headers[name] = RecordedEvent.varying(name, .text(text)).string }
        }
        value = value.map { RecordedEvent.varying("", $0) }
        if isOfNode, value?["source"] != .null {
            value?["source"]["position"] = "1"
            value?["source"]["index"] = 1
            value?["source"]["count"] = 2
        }
    }

    /// The value of a field with what varies replaced.
    private static func varying(_ field: String, _ value: JSON) -> JSON {
        switch value {
        case .object(let fields): .object(fields.reduce(into: [:]) { $0[$1.key] = varying($1.key, $1.value) })
        case .list(let items): .list(items.map { varying(field, $0) })
        case .text(let text):
            switch field {
            case "tsUs": "1795255200000000"
            case "createdAt", "updatedAt": .text("2026-11-21T10:00:00Z")
            case "eventTime": .text(time)
            case "etag": "1-1"
            // A collection's secret is made of chance.
            case "payloadJson":
                .text(text.replacing(/hmac-sha256:[0-9a-f]{64}/, with: "hmac-sha256:\(String(repeating: "0", count: 64))"))
            // A sweep names its writes by when it began.
            case "requestId": .text(text.replacing(/^retention\/\d+/, with: "retention/1"))
            default:
                .text(text.replacing(/127\.0\.0\.1:\d+/, with: "127.0.0.1:50000").replacing(nodeID, with: "kith/0.0/1/1"))
            }
        default: value
        }
    }
}
