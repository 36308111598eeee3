import Foundation
import KithAPI
import KithCommands
import KithCore

/// Parts of a catalogue event, in protobuf's JSON.
private struct CatalogueMessage: Decodable {
    struct Space: Decodable {
        var name: String?
        var model: EventModel?
    }
    struct Collection: Decodable {
        var id: UInt32?
        var name: String?
        var description: String?
        var labels: [String: String]?
        var vectorSpaces: [Space]?
    }
    struct Image: Decodable {
        var collection: Collection?
        var vectorSpace: Space?
    }
    var op: String?
    var kind: String?
    var resource: String?
    var after: Image?
    var collectionId: UInt32?
    var source: EventSource?
}

/// Parts of an OpenLineage run or dataset event.
private struct LineageMessage: Decodable {
    struct Name: Decodable {
        var namespace: String?
        var name: String?
        var text: String { [namespace, name].compactMap { $0 }.joined(separator: "/") }
        /// As a node of the graph: collections are what they are elsewhere in it.
        var node: String { namespace?.hasPrefix("kith://") == true ? "collection:\(name ?? "")" : text }
    }
    var job: Name?
    var inputs: [Name]?
    var outputs: [Name]?
}

extension GovernanceState {
    /// Takes in one record that is no change, and answers what it violates.
    ///
    /// - Throws: why the record cannot be read.
    mutating func take(_ record: ConsumedRecord, _ check: PolicyCheck) throws(Poison) -> [Violation] {
        switch EventSummary.type(of: record) {
        case "kith.v1.CatalogueEvent": return try take(catalogue: record, check)
        case "kith.v1.GovernanceEvent": return try take(governance: record, check)
        default:
            guard record.place.topic.hasSuffix(".lineage.v1") else { return [] }
            try take(lineage: record)
            return []
        }
    }

    /// Takes in one change, and answers what it violates. One without the images that were too large for Kafka is counted as unread.
    mutating func take(_ change: ChangeRecord, _ check: PolicyCheck) -> [Violation] {
        let cause = PolicyCheck.Cause(change)
        guard collections[change.collection] != nil || collections.count < Limits.collections else { return [] }
        var collection = collections[change.collection] ?? Collection()
        guard collection.become(change.place.collection) else { return [] }
        collection.changes += 1
        collection.lastChange = change.timestamp
        let writer = change.writer.isEmpty ? "unknown" : change.writer
        if collection.writers[writer] != nil || collection.writers.count < Limits.governanceNames {
            collection.writers[writer, default: 0] += 1
        }
        if change.claim != nil, change.operation != .delete { collection.unread = (collection.unread ?? 0) + 1 }
        let fields = PayloadFields.of(change.after).filter { !$0.isNull }
        for field in fields { collection.see(field, at: change.timestamp) }
        var found = check.payload(change.collection, fields, cause)
        let before = collection.models
        for model in change.models where collection.models.count < Limits.vectorSpaces || collection.models[model.space] != nil {
            collection.models[model.space] = model.text
        }
        // A definition is checked when it is told; models that only changes tell of, when they change.
        if collection.models != before {
            found += check.definition(change.collection, collection, cause).filter { $0.rule == "allowed_models" }
        }
        collections[change.collection] = collection
        return found
    }

    private mutating func take(catalogue record: ConsumedRecord, _ check: PolicyCheck) throws(Poison) -> [Violation] {
        let event = try GovernanceState.decode(CatalogueMessage.self, record)
        let kind = EventSummary.word(event.kind)
        let parts = (event.resource ?? "").split(separator: "/").map(String.init)
        guard parts.count >= 2, parts[0] == "collections" else { return [] }
        let name = parts[1]
        let id = event.collectionId ?? 0
        guard EventSummary.word(event.op) != "delete" else {
            // Changes may have told already of one that was made anew under its name: topics have no common order.
            if kind == "collection", id == 0 || collections[name]?.id ?? 0 <= id {
                collections[name] = nil
                violations = violations.filter { !$0.value.resource.hasPrefix("collections/\(name)/") }
            }
            return []
        }
        guard collections[name] != nil || collections.count < Limits.collections else { return [] }
        var collection = collections[name] ?? Collection()
        guard collection.become(id) else { return [] }
        collection.isDefined = true
        if let definition = event.after?.collection {
            collection.description = definition.description ?? ""
            collection.labels = definition.labels ?? [:]
            if let spaces = definition.vectorSpaces {
                collection.models = Dictionary(spaces.map { ($0.name ?? "", $0.model?.text ?? "") }) { $1 }
            }
        }
        if let space = event.after?.vectorSpace { collection.models[space.name ?? ""] = space.model?.text ?? "" }
        collections[name] = collection
        let found = check.definition(name, collection, PolicyCheck.Cause(record, event.source))
        // What a definition no longer violates is no longer open.
        let open = Set(found.map(\.id))
        violations = violations.filter { id, violation in
            open.contains(id) || violation.resource.contains("/fields/") || !violation.resource.hasPrefix("collections/\(name)/")
        }
        return found
    }

    private mutating func take(lineage record: ConsumedRecord) throws(Poison) {
        guard let value = record.value else { return }
        let event: LineageMessage
        do { event = try JSONDecoder().decode(LineageMessage.self, from: Data(value)) } catch {
            throw Poison("the value is no OpenLineage event")
        }
        guard let job = event.job?.text, !job.isEmpty else { return }
        let new =
            (event.inputs ?? []).map { Edge(from: $0.node, to: "job:\(job)") }
            + (event.outputs ?? []).map { Edge(from: "job:\(job)", to: $0.node) }
        for edge in new where edges.count < Limits.governanceEdges { edges.insert(edge) }
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ record: ConsumedRecord) throws(Poison) -> Value {
        let json = try EventSummary.json(of: record)
        do { return try JSONDecoder().decode(type, from: json) } catch { throw Poison("the event has fields of another type") }
    }
}

extension GovernanceState.Collection {
    /// Takes on the id that an event is of: one made anew under the same name begins with nothing. False of an earlier collection's events.
    mutating func become(_ id: UInt32) -> Bool {
        guard id != 0, id != self.id else { return true }
        guard id > self.id else { return false }
        // What was told without an id, as by earlier releases, is about whichever comes first.
        if self.id != 0 { self = GovernanceState.Collection() }
        self.id = id
        return true
    }

    fileprivate mutating func see(_ field: PayloadField, at time: String) {
        guard fields[field.name] != nil || fields.count < Limits.payloadColumns else { return }
        var known = fields[field.name] ?? GovernanceState.Field(first: time, last: time)
        known.types.insert(ColumnType(field.value)?.rawValue ?? "null")
        if known.first.isEmpty { known.first = time }
        known.last = time
        fields[field.name] = known
    }
}
