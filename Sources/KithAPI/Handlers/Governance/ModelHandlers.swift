import CGRPCShim
import KithCollections
import KithCore

/// Models of GovernanceService.
struct ModelHandlers {
    private let governance: Governance

    init(_ governance: Governance) { self.governance = governance }

    private struct RegisterRequest: Codable {
        var model: EmbeddingModelMessage?
        var requestId: String
    }

    func register(_ bytes: KithBytes, _ context: OwnedBytes?) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(RegisterRequest.self, "kith.v1.RegisterModelRequest", bytes)
        guard let wanted = request.model else { throw .invalid(.requiredFieldMissing, field: "model", "must be given") }
        return try answer(
            try governance.register(try wanted.model(), GovernanceRequest(id: request.requestId, context: context)))
    }

    private struct GetRequest: Codable { var id, revision: String }

    func get(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(GetRequest.self, "kith.v1.GetModelRequest", bytes)
        if request.id.isEmpty { throw .invalid(.requiredFieldMissing, field: "id", "must name a model") }
        return try answer(try governance.model(ModelReference(id: request.id, revision: request.revision)))
    }

    private func answer(_ model: EmbeddingModel) throws(KithError) -> WireBuffer {
        try JSONCall.encode(EmbeddingModelMessage(model), "kith.v1.EmbeddingModel")
    }

    private struct ListRequest: Codable {
        var pageSize: Int32
        var pageToken: String
    }

    private struct ListResponse: Codable {
        var models: [EmbeddingModelMessage]
        var nextPageToken: String
    }

    func list(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(ListRequest.self, "kith.v1.ListModelsRequest", bytes)
        let page = try NamedPage(of: governance.models, size: request.pageSize, token: request.pageToken) { $0.reference.text }
        return try JSONCall.encode(
            ListResponse(models: page.items.map(EmbeddingModelMessage.init), nextPageToken: page.nextToken),
            "kith.v1.ListModelsResponse")
    }
}
