import Foundation
import KithAPI
import KithCommands
import KithCore

/// What events of all kinds have in common, read from protobuf's JSON: who did what to which resource, and how it ended.
struct EventSummary: Decodable {
    var id: String?
    var op: String?
    var kind: String?
    var resource: String?
    var outcome: String?
    var code: String?
    var reason: String?
    var tsUs: String?
    var requestId: String?
    var context: EventContext?
    var source: EventSource?
    var versionBefore: String?
    var versionAfter: String?
    var changedFields: [String]?

    /// The message that a record holds, by its `ce_dataschema`, or else by its topic.
    static func type(of record: ConsumedRecord) -> String? {
        let prefix = "urn:kith:schema:"
        if let schema = record.header("ce_dataschema"), schema.hasPrefix(prefix) { return String(schema.dropFirst(prefix.count)) }
        let topic = record.place.topic
        if topic.contains(".changes.v1.") { return "kith.v1.ChangeEvent" }
        if topic.hasSuffix(".audit.v1") { return "kith.v1.AuditEvent" }
        if topic.hasSuffix(".catalog.v1") { return "kith.v1.CatalogueEvent" }
        if topic.hasSuffix(".governance.v1") { return "kith.v1.GovernanceEvent" }
        return nil
    }

    /// The event of a record as JSON.
    static func json(of record: ConsumedRecord) throws(Poison) -> Data {
        guard let value = record.value else { throw Poison("the record has no value") }
        guard let type = type(of: record) else { throw Poison("the topic is none of Kith's") }
        let isProtobuf = record.header("content-type") != "application/json"
        let message = try EventValue.unframed(value, isProtobuf: isProtobuf)
        if !isProtobuf { return Data(message) }
        do throws(KithError) { return try MessageJSON.json(message, of: type) } catch { throw Poison("the value is no \(type)") }
    }

    /// Such as `CHANGE_OPERATION_UPDATE` to `update`.
    static func word(_ text: String?) -> String { text?.split(separator: "_").last?.lowercased() ?? "" }
}

extension EventSummary {
    /// Of a change event in protobuf, read without a detour over JSON; nil of everything else.
    init?(change record: ConsumedRecord) {
        guard EventSummary.type(of: record) == "kith.v1.ChangeEvent", record.header("content-type") != "application/json",
            let value = record.value, let message = try? EventValue.unframed(value, isProtobuf: true),
            let event = ChangeEventParts(message), (1...4).contains(event.operation)
        else { return nil }
        func text(_ text: String) -> String? { text.isEmpty ? nil : text }
        func number(_ number: UInt64) -> String? { number == 0 ? nil : "\(number)" }
        let client = EventContext.Client(
            name: text(event.clientName), version: text(event.clientVersion), address: text(event.clientAddress))
        self.init(
            id: event.id, op: ["CREATE", "UPDATE", "DELETE", "READ"][Int(event.operation) - 1],
            source: EventSource(
                collection: event.collection, requestId: text(event.requestID), tsUs: event.time == 0 ? nil : "\(event.time)",
                context: EventContext(actor: .init(id: text(event.actor)), client: client, method: text(event.method))),
            versionBefore: number(event.versionBefore), versionAfter: number(event.versionAfter),
            changedFields: event.changedFields.isEmpty ? nil : event.changedFields)
    }
}

extension JournalRecord {
    /// What a record of a topic says. One that cannot be read is journalled as such: nothing is left out.
    init(_ record: ConsumedRecord, recorded: Int64) {
        let blank = JournalRecord(
            n: 0, time: ChangeRecord.timestamp(record.timestamp * 1_000), event: record.header("ce_id") ?? "",
            operation: "unreadable",
            resource: record.header("ce_subject") ?? "", actor: "", client: "", method: "", outcome: "", request: "",
            source: "\(record.place)@\(record.offset)", digest: Digest.hex(Digest.sha256(record.value ?? [])), recorded: recorded)
        do {
            if let event = EventSummary(change: record) {
                self = JournalRecord(event, Data(), record, blank)
                return
            }
            let json = try EventSummary.json(of: record)
            self = JournalRecord(try JSONDecoder().decode(EventSummary.self, from: json), json, record, blank)
        } catch { self = blank }
    }

    private init(_ event: EventSummary, _ json: Data, _ record: ConsumedRecord, _ blank: JournalRecord) {
        self = blank
        let context = event.context ?? event.source?.context
        if let time = event.tsUs.flatMap(Int64.init) ?? event.source?.time { self.time = ChangeRecord.timestamp(time) }
        self.event = event.id ?? blank.event
        actor = context?.actor?.id ?? ""
        client = [context?.client?.name, context?.client?.version, context?.client?.address].compactMap { $0 }.joined(
            separator: "/")
        method = context?.method ?? ""
        request = event.requestId ?? event.source?.requestId ?? ""
        versionBefore = event.versionBefore.flatMap(UInt64.init)
        versionAfter = event.versionAfter.flatMap(UInt64.init)
        changed = event.changedFields
        outcome = "succeeded"
        switch EventSummary.type(of: record) {
        case "kith.v1.ChangeEvent":
            operation = "change.\(EventSummary.word(event.op))"
            let point = record.key.map { String(decoding: $0, as: UTF8.self) } ?? ""
            resource = "collections/\(event.source?.collection ?? "")/points/\(point)"
        case "kith.v1.GapEvent":
            operation = "change.gap"
            resource = "collections/\(event.source?.collection ?? "")"
        case "kith.v1.AuditEvent":
            operation = "audit.\(EventSummary.word(event.kind))"
            resource = event.resource ?? ""
            outcome = EventSummary.word(event.outcome)
        case "kith.v1.CatalogueEvent":
            // As in the event's type: vectorspace.
            let kind = (event.kind ?? "").replacing("RESOURCE_KIND_", with: "").replacing("_", with: "").lowercased()
            operation = "catalogue.\(kind).\(EventSummary.word(event.op))"
            resource = event.resource ?? ""
        default:
            let fields = (try? JSONDecoder().decode([String: Anything].self, from: json))?.keys ?? [:].keys
            let what = fields.first { !["id", "resource", "source"].contains($0) } ?? "event"
            operation = "governance.\(what)"
            resource = event.resource ?? ""
        }
    }
}

/// A value that only has to be there.
private struct Anything: Decodable {
    init(from decoder: any Decoder) {}
}

/// The parts of an event's id that order it: `<cluster>/<collection>.<shard>/<position>/<index>`, as Documentation/events.md promises.
package struct EventID: Equatable, Sendable {
    /// Cluster, collection and shard.
    package var source: String
    package var order: EventOrder

    /// Nil for ids without an order, such as those of a READ.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 4, let position = UInt64(parts[parts.count - 2]) else { return nil }
        // The audit of a commit comes after its changes.
        guard let index = parts.last == "audit" ? UInt64(UInt32.max) : UInt64(parts[parts.count - 1]) else { return nil }
        source = parts.dropLast(2).joined(separator: "/")
        order = EventOrder(position: position, index: index)
    }
}
