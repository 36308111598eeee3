import CGRPCShim
import KithCollections
import KithCore

/// Retention of GovernanceService.
struct RetentionHandlers {
    private let catalogue: Catalogue
    private let governance: Governance

    init(_ node: Node) {
        catalogue = node.catalogue
        governance = node.governance
    }

    private struct SetRequest: Codable {
        var collection: String
        var maxAgeSeconds: UInt32
        var field, requestId: String
    }

    func set(_ bytes: KithBytes, _ context: OwnedBytes?) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(SetRequest.self, "kith.v1.SetRetentionRequest", bytes)
        let wanted = Retention(
            try catalogue.collection(request.collection).definition, maxAgeSeconds: request.maxAgeSeconds, field: request.field)
        return try answer(try governance.retain(wanted, GovernanceRequest(id: request.requestId, context: context)))
    }

    private struct GetRequest: Codable { var collection: String }

    func get(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(GetRequest.self, "kith.v1.GetRetentionRequest", bytes)
        return try answer(governance.retention(of: try catalogue.collection(request.collection).definition))
    }

    private func message(_ rule: Retention) -> RetentionMessage {
        RetentionMessage(rule, governance.retentionResult(of: rule.collectionID))
    }

    private func answer(_ rule: Retention) throws(KithError) -> WireBuffer {
        try JSONCall.encode(message(rule), "kith.v1.Retention")
    }

    private struct ListRequest: Codable {
        var pageSize: Int32
        var pageToken: String
    }

    private struct ListResponse: Codable {
        var retentions: [RetentionMessage]
        var nextPageToken: String
    }

    func list(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(ListRequest.self, "kith.v1.ListRetentionsRequest", bytes)
        let page = try NamedPage(of: governance.retentions, size: request.pageSize, token: request.pageToken) { $0.collection }
        return try JSONCall.encode(
            ListResponse(retentions: page.items.map(message), nextPageToken: page.nextToken), "kith.v1.ListRetentionsResponse")
    }
}
