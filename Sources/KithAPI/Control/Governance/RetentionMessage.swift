import KithCollections
import KithCore

/// A retention rule, and how it is kept, as protobuf JSON; 64-bit numbers are texts there.
struct RetentionMessage: Codable {
    var collection: String
    var maxAgeSeconds: UInt32
    var field: String
    var updatedAt, sweptAt: String?
    var deleted, held, undated: String
    var problem: String

    init(_ rule: Retention, _ result: RetentionResult) {
        collection = rule.collection
        maxAgeSeconds = rule.maxAgeSeconds
        field = rule.field
        updatedAt = rule.updatedAt == 0 ? nil : CollectionMessage.timestamp(rule.updatedAt)
        sweptAt = result.sweptAt.map(CollectionMessage.timestamp)
        deleted = "\(rule.deleted)"
        held = "\(result.held)"
        undated = "\(result.undated)"
        problem = result.problem
    }
}
