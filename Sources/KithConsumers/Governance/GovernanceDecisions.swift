import Foundation
import KithAPI
import KithCore

/// Parts of a governance event.
private struct GovernanceMessage: Decodable {
    struct Classified: Decodable {
        var collection: String?
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
        var maxAgeSeconds: UInt32?
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
        if let applied = event.retentionApplied, let name = applied.collection {
            changeRetention(of: name) { $0.deleted += applied.points.flatMap(UInt64.init) ?? 0 }
        }
        guard let rule = event.retentionSet, let name = rule.collection else { return [] }
        changeRetention(of: name) {
            $0.maxAgeSeconds = rule.maxAgeSeconds ?? 0
            $0.field = rule.field ?? ""
        }
        // One that is not defined yet is checked when it is.
        guard let collection = collections[name], collection.isDefined else { return [] }
        let found = check.retention(name, collection, PolicyCheck.Cause(record, event.source))
        let open = Set(found.map(\.id))
        violations = violations.filter { id, violation in
            open.contains(id) || violation.resource != "collections/\(name)/retention"
        }
        return found
    }

    private mutating func changeRetention(of name: String, _ change: (inout Retention) -> Void) {
        guard collections[name] != nil || collections.count < Limits.collections else { return }
        var retention = collections[name]?.retention ?? Retention()
        change(&retention)
        collections[name, default: Collection()].retention = retention
    }

    private mutating func take(_ classified: GovernanceMessage.Classified) {
        guard let name = classified.collection, collections[name] != nil || collections.count < Limits.collections else { return }
        // It may come before the collection's definition, which is in another topic.
        var collection = collections[name] ?? Collection()
        let word = classified.classification.flatMap { $0.isEmpty ? nil : $0 }
        if let field = classified.field, !field.isEmpty {
            if collection.fields[field] == nil, collection.fields.count < Limits.payloadColumns {
                collection.fields[field] = Field(first: "", last: "")
            }
            collection.fields[field]?.classification = word
        } else {
            collection.classification = word
        }
        collections[name] = collection
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
