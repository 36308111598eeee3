public import KithCore

/// A registered model that vectors may come from.
public struct EmbeddingModel: Sendable, Codable, Equatable {
    /// Together they name the model, as a vector space does.
    public var reference: ModelReference
    /// Components of its vectors; 0: not told.
    public var dimension: Int
    /// Who answers for it.
    public var owner: String
    /// Such as `apache-2.0`.
    public var licence: String
    public var description: String
    public var labels: [String: String]
    /// Microseconds since 1970; set when it is registered.
    public var registeredAt: Int64 = 0
    public var updatedAt: Int64 = 0

    public init(
        _ reference: ModelReference, dimension: Int = 0, owner: String = "", licence: String = "", description: String = "",
        labels: [String: String] = [:]
    ) {
        self.reference = reference
        self.dimension = dimension
        self.owner = owner
        self.licence = licence
        self.description = description
        self.labels = labels
    }

    /// Whether it says the same, whenever it was said.
    func says(what other: EmbeddingModel) -> Bool {
        var other = other
        other.registeredAt = registeredAt
        other.updatedAt = updatedAt
        return self == other
    }

    func check() throws(KithError) {
        if reference.id.isEmpty { throw .invalid(.requiredFieldMissing, field: "model.id", "must name the model") }
        for (field, text) in [
            ("id", reference.id), ("revision", reference.revision), ("owner", owner), ("licence", licence),
        ] { try GovernanceText.check(text, field: "model.\(field)", limit: Limits.labelBytes) }
        // The two are joined by it where one text names both.
        guard !reference.id.contains("@") else {
            throw .invalid(
                .invalidName, field: "model.id", "'\(reference.id)' must not have an '@'", metadata: ["id": reference.id])
        }
        guard dimension <= Limits.dimension else {
            throw .limit(field: "model.dimension", value: dimension, limit: Limits.dimension, unit: "components")
        }
        try GovernanceText.check(description, field: "model.description", limit: Limits.descriptionBytes)
        guard labels.count <= Limits.labels else {
            throw .limit(field: "model.labels", value: labels.count, limit: Limits.labels, unit: "labels")
        }
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
            for text in [key, value] {
                try GovernanceText.check(text, field: "model.labels[\"\(key.prefix(64))\"]", limit: Limits.labelBytes)
            }
        }
    }
}

extension ModelReference {
    /// `<id>@<revision>`, or the id alone.
    public var text: String { revision.isEmpty ? id : "\(id)@\(revision)" }
}

/// What texts of governance must keep to.
enum GovernanceText {
    static func check(_ text: String, field: String, limit: Int) throws(KithError) {
        guard text.utf8.count <= limit else { throw .limit(field: field, value: text.utf8.count, limit: limit, unit: "bytes") }
    }

    /// A path of payload keys, joined by dots.
    static func checkPath(_ path: String, field: String) throws(KithError) {
        try check(path, field: field, limit: Limits.redactionPathBytes)
        guard path.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ !$0.isEmpty }) else {
            throw .invalid(.invalidValue, field: field, "'\(path)' must be keys joined by single dots", metadata: ["path": path])
        }
    }
}
