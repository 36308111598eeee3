import CGRPCShim
import KithCollections
import KithCore

/// Classifications of GovernanceService.
struct ClassificationHandlers {
    private let catalogue: Catalogue
    private let governance: Governance

    init(_ node: Node) {
        catalogue = node.catalogue
        governance = node.governance
    }

    private struct SetRequest: Codable {
        var collection, field, classification: String
        var labels: [String]
        var reason, requestId: String
    }

    func set(_ bytes: KithBytes, _ context: OwnedBytes?) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(SetRequest.self, "kith.v1.SetClassificationRequest", bytes)
        let wanted = Classification(
            try catalogue.collection(request.collection).definition, field: request.field,
            classification: request.classification, labels: request.labels, reason: request.reason)
        let made = try governance.classify(wanted, GovernanceRequest(id: request.requestId, context: context))
        return try JSONCall.encode(ClassificationMessage(made), "kith.v1.Classification")
    }

    private struct ListRequest: Codable {
        var collection: String
        var pageSize: Int32
        var pageToken: String
    }

    private struct ListResponse: Codable {
        var classifications: [ClassificationMessage]
        var nextPageToken: String
    }

    func list(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(ListRequest.self, "kith.v1.ListClassificationsRequest", bytes)
        let collection = request.collection.isEmpty ? nil : try catalogue.collection(request.collection).definition.id
        // No name has a slash: collections come in order, and within each its fields.
        let page = try NamedPage(
            of: governance.classifications(of: collection), size: request.pageSize, token: request.pageToken
        ) { "\($0.collection)/\($0.field)" }
        return try JSONCall.encode(
            ListResponse(classifications: page.items.map(ClassificationMessage.init), nextPageToken: page.nextToken),
            "kith.v1.ListClassificationsResponse")
    }
}
