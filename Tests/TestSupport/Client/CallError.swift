import CGRPCShim
import Foundation

/// The status codes of gRPC.
public enum StatusCode: Int32, Sendable {
    case ok, cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists, permissionDenied
    case resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented, `internal`, unavailable, dataLoss
    case unauthenticated
}

/// How a call failed: the code, and what `google.rpc.Status` says beside it.
public struct CallError: Error, Sendable, CustomStringConvertible {
    public var code: StatusCode
    public var message: String
    /// Of `google.rpc.ErrorInfo`; empty where the error came from gRPC itself.
    public var reason = ""
    public var metadata: [String: String] = [:]
    /// Of `google.rpc.BadRequest`.
    public var fields: [String] = []

    private struct Details: Decodable {
        struct Violation: Decodable { var field: String }
        var code: Int32
        var message: String
        var reason: String
        var metadata: [String: String]
        var violations: [Violation]
    }

    init(code: StatusCode, message: String) {
        self.code = code
        self.message = message
    }

    /// - Parameter status: a serialised `google.rpc.Status`.
    init(code: StatusCode, message: String, status: [UInt8]) {
        self.init(code: code, message: message)
        guard let json = withBytes(status, { take(kith_status_to_json($0)) }),
            let details = try? JSONDecoder().decode(Details.self, from: Data(json))
        else { return }
        reason = details.reason
        metadata = details.metadata
        fields = details.violations.map(\.field)
    }

    /// Nil for OK. Takes the status over.
    init?(_ status: KithCallStatus) {
        let message = takeText(status.message)
        let details = take(status.details) ?? []
        let code = StatusCode(rawValue: status.code) ?? .unknown
        if code == .ok { return nil }
        self.init(code: code, message: message, status: details)
    }

    public var description: String { "\(code) \(reason) \(fields): \(message)" }
}
