import CGRPCShim
import Foundation
import KithCollections
import KithCore

/// Facts of decisions about data: serialised `kith.v1.GovernanceEvent` messages.
struct GovernanceFacts {
    private struct Model: Encodable {
        var id, revision, owner, description, licence: String
        var labels: [String: String]
        var dimension: Int
    }

    private struct Classified: Encodable {
        var collection, field, classification, reason: String
        var collectionId: UInt32
        var labels: [String]
    }

    private struct LegalHoldMessage: Encodable {
        var hold, collection, reason, field: String
        var collectionId: UInt32
        var placed: Bool
        var points: [WireID]
    }

    private struct ErasureRequested: Encodable {
        var erasure, subject, collection, reason, field, requested: String
        var collectionId: UInt32
        var points: [WireID]
    }

    private struct ErasureProved: Encodable {
        var erasure, subject, collection: String
        var collectionId: UInt32
        /// 64-bit numbers are texts in protobuf JSON.
        var requested, deleted, redactedCommits, overwrittenVectors: String
        var positions: [PositionMessage]
        var pointsSha256: String
    }

    private struct RetentionSet: Encodable {
        var collection: String
        var collectionId, maxAgeSeconds: UInt32
        var field: String
    }

    private struct RetentionApplied: Encodable {
        var collection, rule, points, held: String
        var collectionId: UInt32
        var positions: [PositionMessage]
    }

    /// A `kith.v1.GovernanceEvent`: one of its events.
    private struct EventMessage: Encodable {
        var resource: String
        var modelRegistered: Model?
        var classified: Classified?
        var legalHold: LegalHoldMessage?
        var erasureRequested: ErasureRequested?
        var erasureProved: ErasureProved?
        var retentionSet: RetentionSet?
        var retentionApplied: RetentionApplied?
    }

    func fact(_ event: GovernanceEvent) throws(KithError) -> Fact {
        var message = EventMessage(resource: "")
        let what: String
        switch event {
        case .modelRegistered(let model):
            what = "model_registered"
            message.resource = "models/\(model.reference.text)"
            message.modelRegistered = Model(
                id: model.reference.id, revision: model.reference.revision, owner: model.owner, description: model.description,
                licence: model.licence, labels: model.labels, dimension: model.dimension)
        case .classified(let classification):
            what = "classified"
            let field = classification.field.isEmpty ? "" : "/fields/\(classification.field)"
            message.resource = "collections/\(classification.collection)\(field)"
            message.classified = Classified(
                collection: classification.collection, field: classification.field, classification: classification.classification,
                reason: classification.reason, collectionId: classification.collectionID, labels: classification.labels)
        case .legalHold(let hold):
            what = "legal_hold"
            message.resource = "holds/\(hold.name)"
            let subject = SubjectMessage(hold.held)
            message.legalHold = LegalHoldMessage(
                hold: hold.name, collection: hold.collection, reason: hold.isStanding ? hold.reason : hold.releaseReason,
                field: subject.field, collectionId: hold.collectionID, placed: hold.isStanding, points: subject.points)
        case .erasureRequested(let erasure):
            what = "erasure_requested"
            message.resource = "erasures/\(erasure.name)"
            let subject = erasure.held.map(SubjectMessage.init)
            message.erasureRequested = ErasureRequested(
                erasure: erasure.name, subject: erasure.subject, collection: erasure.collection, reason: erasure.reason,
                field: subject?.field ?? "", requested: "\(erasure.requested)", collectionId: erasure.collectionID,
                points: subject?.points ?? [])
        case .erasureProved(let erasure):
            what = "erasure_proved"
            message.resource = "erasures/\(erasure.name)"
            message.erasureProved = ErasureProved(
                erasure: erasure.name, subject: erasure.subject, collection: erasure.collection,
                collectionId: erasure.collectionID, requested: "\(erasure.requested)", deleted: "\(erasure.deleted)",
                redactedCommits: "\(erasure.redactedCommits)",
                overwrittenVectors: "\(erasure.overwrittenVectors)", positions: erasure.positions.map(PositionMessage.init),
                pointsSha256: Data(erasure.digest).base64EncodedString())
        case .retentionSet(let rule):
            what = "retention_set"
            message.resource = "retentions/\(rule.collection)"
            message.retentionSet = RetentionSet(
                collection: rule.collection, collectionId: rule.collectionID, maxAgeSeconds: rule.maxAgeSeconds, field: rule.field
            )
        case .runRecorded: throw KithError(.internal, .invalidValue, "a run is lineage, and no governance event")
        case .retentionApplied(let sweep):
            what = "retention_applied"
            message.resource = "retentions/\(sweep.collection)/applied"
            message.retentionApplied = RetentionApplied(
                collection: sweep.collection, rule: sweep.rule, points: "\(sweep.deleted)", held: "\(sweep.held)",
                collectionId: sweep.collectionID, positions: sweep.positions.map(PositionMessage.init))
        }
        let body = try JSONCall.encode(message, "kith.v1.GovernanceEvent")
        return Fact(
            .governance, type: "io.kith.governance.\(what).v1", key: message.resource, subject: message.resource,
            body: withExtendedLifetime(body) { OwnedBytes(body.bytes.view.bytes) })
    }

    private struct Context: Encodable {
        struct Actor: Encodable {
            var id: String
            var proof = "PROOF_SYSTEM"
        }
        var actor: Actor
    }

    func systemContext(_ name: String) throws(KithError) -> OwnedBytes {
        let context = try JSONCall.encode(Context(actor: .init(id: name)), "kith.v1.RequestContext")
        return withExtendedLifetime(context) { OwnedBytes(context.bytes.view.bytes) }
    }
}
