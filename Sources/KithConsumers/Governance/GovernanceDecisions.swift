import Foundation
import KithAPI
import KithCore

/// Parts of a governance event.
private struct GovernanceMessage: Decodable {
    struct Classified: Decodable {
        var collection: String?
        var collectionId: UInt32?
        var field: String?
        var classification: String?
    }
    struct Hold: Decodable {
        var hold, collection: String?
        var placed: Bool?
        var reason, field: String?
        var points: [WireID]?

        var what: String {
            if let field, !field.isEmpty { return "by \(field)" }
            return points.map { "\($0.count) points" } ?? "everything"
        }
    }
    struct Erasure: Decodable {
        var erasure, subject, collection, requested, deleted, pointsSha256: String?
    }
    struct Retention: Decodable {
        var collection: String?
        var collectionId, maxAgeSeconds: UInt32?
        var field, points: String?
    }
    var modelRegistered: EventModel?
    var classified: Classified?
    var legalHold: Hold?
    var erasureRequested: Erasure?
    var erasureProved: Erasure?
    var retentionSet: Retention?
    var retentionApplied: Retention?
    var source: EventSource?
}

extension GovernanceState {
    /// Takes a decision in, and answers what it violates.
    mutating func take(governance record: ConsumedRecord, _ check: PolicyCheck) throws(Poison) -> [Violation] {
        let event = try GovernanceState.decode(GovernanceMessage.self, record)
        if let model = event.modelRegistered, models.count < Limits.governanceNames {
            models[model.text] = model.owner ?? ""
        }
        if let hold = event.legalHold { take(hold) }
        if let erasure = event.erasureRequested ?? event.erasureProved { take(erasure, isProved: event.erasureProved != nil) }
        if let classified = event.classified { take(classified) }
        if let applied = event.retentionApplied {
            change(applied.collection, applied.collectionId) {
                $0.retention = $0.retention ?? Retention()
                $0.retention?.deleted += applied.points.flatMap(UInt64.init) ?? 0
            }
        }
        guard let rule = event.retentionSet, let name = rule.collection else { return [] }
        let isOfThis = change(name, rule.collectionId) {
            $0.retention = $0.retention ?? Retention()
            $0.retention?.maxAgeSeconds = rule.maxAgeSeconds ?? 0
            $0.retention?.field = rule.field ?? ""
        }
        // One that is not defined yet is checked when it is.
        guard isOfThis, let collection = collections[name], collection.isDefined else { return [] }
        let found = check.retention(name, collection, PolicyCheck.Cause(record, event.source))
        let open = Set(found.map(\.id))
        violations = violations.filter { id, violation in
            open.contains(id) || violation.resource != "collections/\(name)/retention"
        }
        return found
    }

    /// Changes what is known of a collection, which may come before its definition: that is in another topic. False, and nothing is changed,
    /// where the event is of an earlier one of the name.
    @discardableResult
    private mutating func change(_ name: String?, _ id: UInt32?, _ change: (inout Collection) -> Void) -> Bool {
        guard let name, collections[name] != nil || collections.count < Limits.collections else { return false }
        var collection = collections[name] ?? Collection()
        guard collection.become(id ?? 0) else { return false }
        change(&collection)
        collections[name] = collection
        return true
    }

    private mutating func take(_ classified: GovernanceMessage.Classified) {
        let word = classified.classification.flatMap { $0.isEmpty ? nil : $0 }
        change(classified.collection, classified.collectionId) { collection in
            guard let field = classified.field, !field.isEmpty else { return collection.classification = word }
            if collection.fields[field] == nil, collection.fields.count < Limits.payloadColumns {
                collection.fields[field] = Field(first: "", last: "")
            }
            collection.fields[field]?.classification = word
        }
    }

    private mutating func take(_ hold: GovernanceMessage.Hold) {
        guard let name = hold.hold, holds[name] != nil || holds.count < Limits.legalHolds else { return }
        holds[name] = Hold(
            collection: hold.collection ?? "", what: hold.what, reason: hold.reason ?? "", stands: hold.placed ?? false)
    }

    private mutating func take(_ erasure: GovernanceMessage.Erasure, isProved: Bool) {
        guard let name = erasure.erasure, erasures[name] != nil || erasures.count < Limits.erasures else { return }
        erasures[name] = Erasure(
            collection: erasure.collection ?? "", subject: erasure.subject ?? "",
            requested: erasure.requested.flatMap(UInt64.init) ?? 0,
            deleted: isProved ? erasure.deleted.flatMap(UInt64.init) ?? 0 : nil,
            pointsSHA256: isProved ? erasure.pointsSha256 : nil)
    }
}
