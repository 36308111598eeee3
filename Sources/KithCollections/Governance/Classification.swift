public import KithCore

/// What a collection, or a field of its payloads, holds.
public struct Classification: Sendable, Codable, Equatable {
    /// The collection's id: one made later under the same name is another.
    public var collectionID: UInt32
    public var collection: String
    /// Keys of the payload joined by dots; empty: the whole collection.
    public var field: String
    /// Such as `restricted`.
    public var classification: String
    /// Such as `pii`.
    public var labels: [String]
    /// For people.
    public var reason: String
    /// Microseconds since 1970.
    public var updatedAt: Int64 = 0

    public init(
        _ definition: CollectionDefinition, field: String = "", classification: String, labels: [String] = [], reason: String = ""
    ) {
        collectionID = definition.id
        collection = definition.name
        self.field = field
        self.classification = classification
        self.labels = labels
        self.reason = reason
    }

    /// It says that nothing is classified any more.
    var isEmpty: Bool { classification.isEmpty && labels.isEmpty }

    /// Whether it says the same, whenever it was said.
    func says(what other: Classification) -> Bool {
        var other = other
        other.updatedAt = updatedAt
        return self == other
    }

    func check() throws(KithError) {
        if !field.isEmpty { try GovernanceText.checkPath(field, field: "field") }
        if !classification.isEmpty { try ResourceName.check(classification, field: "classification") }
        guard labels.count <= Limits.classificationLabels else {
            throw .limit(field: "labels", value: labels.count, limit: Limits.classificationLabels, unit: "labels")
        }
        for (number, label) in labels.enumerated() { try ResourceName.check(label, field: "labels[\(number)]") }
        try GovernanceText.check(reason, field: "reason", limit: Limits.descriptionBytes)
    }
}
