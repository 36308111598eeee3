import CGRPCShim
import KithCollections
import KithCore

/// Legal holds of GovernanceService.
struct HoldHandlers {
    private let catalogue: Catalogue
    private let governance: Governance

    init(_ node: Node) {
        catalogue = node.catalogue
        governance = node.governance
    }

    private struct PlaceRequest: Codable {
        var hold: HoldMessage?
        var requestId: String
    }

    func place(_ bytes: KithBytes, _ context: OwnedBytes?) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(PlaceRequest.self, "kith.v1.PlaceLegalHoldRequest", bytes)
        guard let wanted = request.hold else { throw .invalid(.requiredFieldMissing, field: "hold", "must be given") }
        let collection = try catalogue.collection(wanted.collection, field: "hold.collection")
        return try answer(
            try governance.place(
                try wanted.hold(on: collection.definition), on: collection,
                GovernanceRequest(id: request.requestId, context: context)))
    }

    private struct NameRequest: Codable {
        var hold: String
        var reason, requestId: String?
    }

    func release(_ bytes: KithBytes, _ context: OwnedBytes?) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(NameRequest.self, "kith.v1.ReleaseLegalHoldRequest", bytes)
        let hold = try governance.hold(try named(request))
        let collection = catalogue.all.first { $0.definition.id == hold.collectionID }
        return try answer(
            try governance.release(
                hold.name, reason: request.reason ?? "", on: collection,
                GovernanceRequest(id: request.requestId ?? "", context: context)))
    }

    func get(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        try answer(
            try governance.hold(try named(try JSONCall.decode(NameRequest.self, "kith.v1.GetLegalHoldRequest", bytes))))
    }

    private func named(_ request: NameRequest) throws(KithError) -> String {
        if request.hold.isEmpty { throw .invalid(.requiredFieldMissing, field: "hold", "must name a hold") }
        return request.hold
    }

    private func answer(_ hold: LegalHold) throws(KithError) -> WireBuffer {
        try JSONCall.encode(HoldMessage(hold), "kith.v1.Hold")
    }

    private struct ListRequest: Codable {
        var collection: String
        var pageSize: Int32
        var pageToken: String
        var standing: Bool
    }

    private struct ListResponse: Codable {
        var holds: [HoldMessage]
        var nextPageToken: String
    }

    func list(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(ListRequest.self, "kith.v1.ListLegalHoldsRequest", bytes)
        let collection = request.collection.isEmpty ? nil : try catalogue.collection(request.collection).definition.id
        let wanted = governance.holds(of: collection).filter { $0.isStanding || !request.standing }
        let page = try NamedPage(
            of: wanted, size: request.pageSize, token: request.pageToken, name: { $0.name }, bytes: { $0.held.byteCount })
        return try JSONCall.encode(
            ListResponse(holds: page.items.map(HoldMessage.init), nextPageToken: page.nextToken),
            "kith.v1.ListLegalHoldsResponse")
    }
}
