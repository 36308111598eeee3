import CGRPCShim
import Foundation
import KithCollections
import KithCore

/// Erasures of GovernanceService.
struct ErasureHandlers {
    private let catalogue: Catalogue
    private let governance: Governance

    init(_ node: Node) {
        catalogue = node.catalogue
        governance = node.governance
    }

    private struct RequestMessage: Codable {
        var erasure: ErasureMessage?
        var requestId: String
    }

    /// Looks through the collection, on a thread of its own: gRPC's are for others.
    func request(_ call: Call) throws(KithError) {
        let request = try JSONCall.decode(RequestMessage.self, "kith.v1.RequestErasureRequest", call.message)
        guard let wanted = request.erasure else { throw .invalid(.requiredFieldMissing, field: "erasure", "must be given") }
        let collection = try catalogue.collection(wanted.collection, field: "erasure.collection")
        let erasure = try wanted.erasure(on: collection.definition)
        let asker = GovernanceRequest(id: request.requestId, context: call.context)
        Thread(named: "kith-erasure") { [governance] in
            do throws(KithError) {
                call.reply(try ErasureHandlers.answer(try governance.request(erasure, on: collection, asker)))
            } catch { call.fail(error) }
        }.start()
    }

    private struct NameRequest: Codable { var erasure: String }

    func get(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let name = try JSONCall.decode(NameRequest.self, "kith.v1.GetErasureRequest", bytes).erasure
        if name.isEmpty { throw .invalid(.requiredFieldMissing, field: "erasure", "must name an erasure") }
        return try ErasureHandlers.answer(try governance.erasure(name))
    }

    private static func answer(_ erasure: Erasure) throws(KithError) -> WireBuffer {
        try JSONCall.encode(ErasureMessage(erasure), "kith.v1.Erasure")
    }

    private struct ListRequest: Codable {
        var collection: String
        var pageSize: Int32
        var pageToken: String
    }

    private struct ListResponse: Codable {
        var erasures: [ErasureMessage]
        var nextPageToken: String
    }

    func list(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(ListRequest.self, "kith.v1.ListErasuresRequest", bytes)
        let collection = request.collection.isEmpty ? nil : try catalogue.collection(request.collection).definition.id
        let page = try NamedPage(
            of: governance.erasures(of: collection), size: request.pageSize, token: request.pageToken, name: { $0.name },
            bytes: { $0.held?.byteCount ?? 0 })
        return try JSONCall.encode(
            ListResponse(erasures: page.items.map(ErasureMessage.init), nextPageToken: page.nextToken),
            "kith.v1.ListErasuresResponse")
    }
}
