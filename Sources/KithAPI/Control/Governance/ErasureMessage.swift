import Foundation
import KithCollections
import KithCore

/// An erasure as protobuf JSON; 64-bit numbers are texts there.
struct ErasureMessage: Codable {
    private static let stages: [(name: String, value: Erasure.Stage?)] = [
        ("STAGE_UNSPECIFIED", nil), ("STAGE_DELETING", .deleting), ("STAGE_WAITING_FOR_READERS", .waitingForReaders),
        ("STAGE_SCRUBBING", .scrubbing), ("STAGE_COMPACTING", .compacting), ("STAGE_PROVED", .proved),
    ]

    var name, subject, collection: String
    var points: [WireID]?
    var field, valueJson, reason: String
    var stage: EnumText
    var problem: String
    var requested, deleted: String
    var positions: [PositionMessage]?
    var redactedCommits, overwrittenVectors: String
    var pointsSha256: String
    var requestedAt, provedAt: String?

    init(_ erasure: Erasure) {
        let subject = erasure.held.map(SubjectMessage.init)
        name = erasure.name
        self.subject = erasure.subject
        collection = erasure.collection
        points = subject?.points
        field = subject?.field ?? ""
        valueJson = subject?.valueJson ?? ""
        reason = erasure.reason
        stage = EnumText(WireEnums.name(erasure.stage, ErasureMessage.stages))
        problem = erasure.problem
        requested = "\(erasure.requested)"
        deleted = "\(erasure.deleted)"
        positions = erasure.positions.map(PositionMessage.init)
        redactedCommits = "\(erasure.redactedCommits)"
        overwrittenVectors = "\(erasure.overwrittenVectors)"
        pointsSha256 = Data(erasure.digest).base64EncodedString()
        requestedAt = CollectionMessage.timestamp(erasure.requestedAt)
        provedAt = erasure.provedAt.map(CollectionMessage.timestamp)
    }

    func erasure(on definition: CollectionDefinition) throws(KithError) -> Erasure {
        let isSet = [
            ("stage", try stage.value(ErasureMessage.stages, field: "erasure.stage") != nil), ("problem", !problem.isEmpty),
            ("requested", requested != "0"), ("deleted", deleted != "0"), ("positions", positions?.isEmpty == false),
            ("redacted_commits", redactedCommits != "0"), ("overwritten_vectors", overwrittenVectors != "0"),
            ("points_sha256", !pointsSha256.isEmpty), ("requested_at", requestedAt != nil), ("proved_at", provedAt != nil),
        ]
        for (field, isSet) in isSet where isSet {
            throw .invalid(.immutableField, field: "erasure.\(field)", "is set by the server")
        }
        let subject = SubjectMessage(points: points, field: field, valueJson: valueJson, whole: false)
        return Erasure(name, subject: self.subject, on: definition, points: try subject.held(in: "erasure"), reason: reason)
    }
}
