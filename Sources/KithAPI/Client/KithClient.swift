import CGRPCShim
public import Foundation
public import KithCore

/// A blocking client: one connection, which any number of threads may share.
///
/// Every error is a `KithError`: the server's own, rebuilt from its status, or `SERVER_UNREACHABLE`.
public final class KithClient: @unchecked Sendable {
    /// `host:port` of the server.
    public let address: String
    /// What a unary call may take.
    public let timeoutMilliseconds: Int
    // gRPC channels may be used from any thread.
    let channel: OpaquePointer

    /// Connects at the first call, and again after a break.
    public init(address: String, timeoutMilliseconds: Int = 60_000) throws(KithError) {
        guard let channel = kith_channel_open(address, Limits.messageBytes) else {
            throw .invalid(
                .invalidValue, field: "address", "'\(address)' is not host:port", metadata: ["address": address])
        }
        self.address = address
        self.timeoutMilliseconds = timeoutMilliseconds
        self.channel = channel
    }

    deinit { kith_channel_free(channel) }

    /// One unary call, message to message.
    func call(_ method: String, _ request: WireBuffer) throws(KithError) -> WireBuffer {
        var response: OpaquePointer?
        let status = try request.withBytes { (bytes) throws(KithError) in
            kith_channel_call(channel, method, bytes, Int64(timeoutMilliseconds), &response)
        }
        let answer = WireBuffer(owning: response)
        try check(status)
        return answer
    }

    /// Throws what a call ended with, unless that is OK. Takes the status over.
    func check(_ status: KithCallStatus) throws(KithError) {
        let message = WireBuffer(owning: status.message)
        let details = WireBuffer(owning: status.details)
        guard status.code != 0 else { return }
        throw try details.withBytes { (bytes) throws(KithError) in
            KithError(wireCode: status.code, message: message.text, details: bytes, address: address)
        }
    }

    // MARK: Control messages, as canonical protobuf JSON

    /// One unary call with JSON for the messages, as the protos map them.
    ///
    /// - Parameter method: such as `/kith.v1.CollectionService/GetCollection`.
    public func callJSON(_ method: String, _ request: Data) throws(KithError) -> Data {
        let names = try RemoteMethod(path: method)
        let message = try MessageJSON.encode(request, as: names.requestType)
        let answer = try call(method, message)
        return try answer.withBytes { (bytes) throws(KithError) in
            try MessageJSON.decode(bytes, as: names.responseType)
        }
    }

    /// The same with values that encode to and decode from that JSON.
    public func call<Request: Encodable, Response: Decodable>(
        _ method: String, _ request: Request, as type: Response.Type = Response.self
    ) throws(KithError) -> Response {
        try MessageJSON.value(try callJSON(method, try MessageJSON.data(request)))
    }

    // MARK: Health

    /// Whether the server says that it serves.
    public func isServing() throws(KithError) -> Bool {
        struct Answer: Decodable { var status: String }
        return try call("/grpc.health.v1.Health/Check", NoFields(), as: Answer.self).status == "SERVING"
    }
}

/// An empty message.
struct NoFields: Codable {}
