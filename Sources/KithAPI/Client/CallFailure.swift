import CGRPCShim
import Foundation
import KithCore

/// What `kith_status_to_json` writes.
private struct StatusJSON: Decodable {
    struct Violation: Decodable {
        var field: String
        var description: String
    }
    var message: String?
    var reason: String?
    var metadata: [String: String]?
    var violations: [Violation]?
}

extension KithError {
    /// The error that a server sent, from its serialised `google.rpc.Status`.
    init(status: KithBytes) {
        self.init(wireCode: StatusCode.unknown.rawValue, message: "", details: status, address: "")
    }

    /// - Parameter details: a serialised `google.rpc.Status`; empty where the error came from gRPC itself.
    init(wireCode: Int32, message: String, details: KithBytes, address: String) {
        var code = StatusCode(rawValue: wireCode) ?? .unknown
        guard !details.isEmpty, let json = kith_status_to_json(details) else {
            self = .transport(code, message, address)
            return
        }
        let data = WireBuffer(owning: json).data
        guard let status = try? JSONDecoder().decode(StatusJSON.self, from: data) else {
            self = .transport(code, message, address)
            return
        }
        if code == .unknown, let own = (try? JSONDecoder().decode(CodeJSON.self, from: data))?.code {
            code = StatusCode(rawValue: own) ?? .unknown
        }
        self.init(
            code, status.reason.flatMap(ErrorReason.init(rawValue:)) ?? ErrorReason(transport: code),
            status.message ?? message, metadata: status.metadata ?? [:],
            violations: (status.violations ?? []).map { FieldViolation(field: $0.field, description: $0.description) })
    }

    /// What gRPC says where no server of ours has answered.
    private static func transport(_ code: StatusCode, _ message: String, _ address: String) -> KithError {
        let text = code == .unavailable ? "no answer from \(address): \(message)" : message
        return KithError(code, ErrorReason(transport: code), text, metadata: address.isEmpty ? [:] : ["address": address])
    }
}

private struct CodeJSON: Decodable { var code: Int32 }

extension ErrorReason {
    /// The reason that stands for a gRPC code that came without one.
    fileprivate init(transport code: StatusCode) {
        switch code {
        case .cancelled: self = .cancelled
        case .deadlineExceeded: self = .deadlineExceeded
        case .unimplemented: self = .unimplemented
        case .resourceExhausted: self = .messageTooLarge
        case .invalidArgument: self = .malformedMessage
        default: self = .serverUnreachable
        }
    }
}
