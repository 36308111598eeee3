import CGRPCShim
import Foundation
import KithCore
import Synchronization

/// One request under audit: gathers what it concerned, and tells how it ended, once.
final class RequestAudit: Sendable {
    private struct Facts {
        var hasEnded = false
        var collection: String?
        var returned = 0
    }

    private let log: AuditLog
    private let kind: AuditKind
    private let method: Int32
    private let facts = Mutex(Facts())

    /// - Parameter method: its number among the shim's methods.
    init(_ kind: AuditKind, method: Int32, log: AuditLog) {
        self.kind = kind
        self.method = method
        self.log = log
    }

    /// For streams whose requests come after the start: which collection it is about.
    func concerns(_ collection: String) { facts.withLock { $0.collection = collection } }

    /// How many points the client is given.
    func returns(_ count: Int) { facts.withLock { $0.returned += count } }

    /// A part of a stream was refused, which goes on.
    func refused(_ call: Call, _ error: KithError) {
        guard log.wants(kind, failed: true) else { return }
        log.add(fact(RequestNames(collection: facts.withLock { $0.collection }), call.context, returned: 0, error))
    }

    /// The call is answered.
    func end(_ call: Call, _ error: KithError?) {
        let facts = facts.withLock { facts -> Facts in
            defer { facts.hasEnded = true }
            return facts
        }
        guard !facts.hasEnded, log.wants(kind, failed: error != nil) else { return }
        let context = call.context
        // Messages of a stream of requests come and go; those of other calls stay to the end.
        let names = kith_method_client_streaming(method) ? RequestNames(collection: facts.collection) : RequestNames(call, method)
        log.add(fact(names, context, returned: facts.returned, error))
    }

    private func fact(_ names: RequestNames, _ context: OwnedBytes?, returned: Int, _ error: KithError?) -> Fact? {
        let request = kith_view_request_context(KithBytes(context?.view ?? .empty))
        let who = request.actor.size > 0 ? request.actor : request.client_address
        let method = String(cString: kith_method_name(method)).dropFirst()
        var texts = TextArena()
        let resource = texts.add(names.resource)
        let requestID = texts.add(names.requestID)
        let code = texts.add(error?.code.name ?? "OK")
        let reason = texts.add(error?.reason.rawValue ?? "")
        let outcome = error.map { $0.isDenial ? AuditOutcome.denied : .failed } ?? .succeeded
        let body = texts.withViews { text in
            var view = KithRequestAuditView(
                kind: kind.rawValue, outcome: outcome.rawValue, resource: text(resource), code: text(code),
                reason: text(reason), request_id: text(requestID), context: KithBytes(context?.view ?? .empty),
                collection_id: 0, ts_us: Int64(Date().timeIntervalSince1970 * 1e6), created: 0, updated: 0, deleted: 0,
                returned: UInt64(returned), positions: nil, position_count: 0)
            return WireBuffer(owning: kith_encode_request_audit(&view))
        }
        guard !body.bytes.isEmpty else { return nil }
        return Fact(
            .audit, type: "io.kith.audit.recorded.v1", key: who.text,
            subject: names.resource.isEmpty ? String(method) : names.resource,
            body: withExtendedLifetime(body) { OwnedBytes(body.bytes.view.bytes) })
    }
}

/// How a request ended. Raw values are those of the wire.
private enum AuditOutcome: Int32 {
    case succeeded = 1
    case denied = 2
    case failed = 3
}

/// What a request is about.
private struct RequestNames {
    /// Empty where it named nothing.
    var resource = ""
    var requestID = ""

    init(collection: String?) { resource = collection.map { "collections/\($0)" } ?? "" }

    /// Read from the request, as far as it can be read.
    init(_ call: Call, _ method: Int32) {
        var view = KithRequestNames()
        let message = kith_decode_request_names(method, call.message, &view)
        defer { kith_message_free(message) }
        // Names that are too long are no names: an event is not made large by them.
        if message != nil, !view.name.isEmpty, view.name.size <= Limits.nameBytes {
            resource = view.prefix.text + view.name.text
        }
        if message != nil, view.request_id.size <= Limits.requestIDBytes { requestID = view.request_id.text }
    }
}
