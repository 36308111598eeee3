import KithCollections
import KithCore

/// A registered model as protobuf JSON.
struct EmbeddingModelMessage: Codable {
    var id, revision: String
    var dimension: UInt32
    var owner, licence, description: String
    var labels: [String: String]
    var registeredAt, updatedAt: String?

    init(_ model: EmbeddingModel) {
        id = model.reference.id
        revision = model.reference.revision
        dimension = UInt32(model.dimension)
        owner = model.owner
        licence = model.licence
        description = model.description
        labels = model.labels
        registeredAt = CollectionMessage.timestamp(model.registeredAt)
        updatedAt = CollectionMessage.timestamp(model.updatedAt)
    }

    func model() throws(KithError) -> EmbeddingModel {
        for (field, value) in [("registered_at", registeredAt), ("updated_at", updatedAt)] where value != nil {
            throw .invalid(.immutableField, field: "model.\(field)", "is set by the server")
        }
        return EmbeddingModel(
            ModelReference(id: id, revision: revision), dimension: Int(dimension), owner: owner, licence: licence,
            description: description, labels: labels)
    }
}

/// A classification as protobuf JSON.
struct ClassificationMessage: Codable {
    var collection, field, classification: String
    var labels: [String]
    var reason: String
    var updatedAt: String?

    init(_ classification: Classification) {
        collection = classification.collection
        field = classification.field
        self.classification = classification.classification
        labels = classification.labels
        reason = classification.reason
        updatedAt = classification.updatedAt == 0 ? nil : CollectionMessage.timestamp(classification.updatedAt)
    }
}

/// Which points a request means, as the fields of several messages.
struct SubjectMessage {
    var points: [WireID] = []
    var field = ""
    var valueJson = ""
    var whole = false

    init(points: [WireID]?, field: String, valueJson: String, whole: Bool) {
        self.points = points ?? []
        self.field = field
        self.valueJson = valueJson
        self.whole = whole
    }

    init(_ held: HeldPoints) {
        switch held {
        case .whole: whole = true
        case .points(let ids): points = ids.map(WireID.init)
        case .field(let path, let value): (field, valueJson) = (path, value)
        }
    }

    /// - Parameter message: the field that the message is, for errors.
    func held(in message: String) throws(KithError) -> HeldPoints {
        guard [!points.isEmpty, !field.isEmpty, whole].count(where: { $0 }) == 1 else {
            throw .invalid(
                .requiredFieldMissing, field: message, "must name its points by exactly one of points, field and whole")
        }
        if whole { return .whole }
        if !field.isEmpty { return .field(field, value: valueJson) }
        return .points(
            try points.enumerated().map { number, point throws(KithError) in
                guard let id = point.id, id.encoded.count - 1 <= Limits.stringIDBytes else {
                    throw .invalid(.invalidPointID, field: "\(message).points[\(number)]", "is no point id")
                }
                return id
            })
    }
}

/// A legal hold as protobuf JSON.
struct HoldMessage: Codable {
    var name, collection: String
    var points: [WireID]?
    var field, valueJson: String
    var whole: Bool
    var reason: String
    var placedAt, releasedAt: String?
    var releaseReason: String

    init(_ hold: LegalHold) {
        let subject = SubjectMessage(hold.held)
        name = hold.name
        collection = hold.collection
        points = subject.points
        field = subject.field
        valueJson = subject.valueJson
        whole = subject.whole
        reason = hold.reason
        placedAt = CollectionMessage.timestamp(hold.placedAt)
        releasedAt = hold.releasedAt.map(CollectionMessage.timestamp)
        releaseReason = hold.releaseReason
    }

    func hold(on definition: CollectionDefinition) throws(KithError) -> LegalHold {
        let isSet = [
            ("placed_at", placedAt != nil), ("released_at", releasedAt != nil), ("release_reason", !releaseReason.isEmpty),
        ]
        for (field, isSet) in isSet where isSet {
            throw .invalid(.immutableField, field: "hold.\(field)", "is set by the server")
        }
        let subject = SubjectMessage(points: points, field: field, valueJson: valueJson, whole: whole)
        return LegalHold(name, on: definition, held: try subject.held(in: "hold"), reason: reason)
    }
}

extension HeldPoints {
    /// About what it takes in an answer.
    var byteCount: Int {
        if case .points(let ids) = self { ids.reduce(0) { $0 + $1.encoded.count } } else { 0 }
    }
}

/// A page of a list that is in order of its items' names; it ends early rather than become too large.
struct NamedPage<Item> {
    private static var defaultSize: Int { 100 }

    let items: [Item]
    /// Empty after the last page.
    let nextToken: String

    init(
        of all: [Item], size: Int32, token: String, name: (Item) -> String, bytes: (Item) -> Int = { _ in 0 }
    ) throws(KithError) {
        let limit = try PageToken.pageSize(size, default: NamedPage.defaultSize)
        let after = try PageToken.name(token)
        let rest = after.map { after in all.filter { name($0) > after } } ?? all
        var room = Limits.pageBytes
        var items: [Item] = []
        for item in rest.prefix(limit) where room > 0 {
            items.append(item)
            room -= bytes(item)
        }
        self.items = items
        nextToken = rest.count > items.count ? items.last.map { PageToken.encode(name: name($0)) } ?? "" : ""
    }
}
