import CGRPCShim

/// A blocking client that knows bytes and JSON only, so that it can also say what no proper client would. For any number of threads.
public final class Connection: @unchecked Sendable {
    /// Tests send more than the server takes.
    private static let maxMessageBytes = 64 << 20

    public let address: String
    private let channel: OpaquePointer

    /// - Parameter metadata: sent with every call, such as `kith-actor`.
    public init(_ address: String, metadata: [String: String] = [:]) throws {
        guard let channel = kith_channel_open(address, Connection.maxMessageBytes) else {
            throw CallError(code: .unavailable, message: "no channel to \(address)")
        }
        self.address = address
        self.channel = channel
        for (name, value) in metadata { kith_channel_add_metadata(channel, name, value) }
    }

    deinit { kith_channel_free(channel) }

    /// One unary call of any bytes.
    public func call(path: String, _ request: [UInt8], timeoutMilliseconds: Int64 = 60_000) throws(CallError) -> [UInt8] {
        var response: OpaquePointer?
        let status = withBytes(request) { kith_channel_call(channel, path, $0, timeoutMilliseconds, &response) }
        let answer = take(response) ?? []
        if let error = CallError(status) { throw error }
        return answer
    }

    /// One unary call.
    @discardableResult
    public func call<Answer: Decodable>(
        _ method: Method, _ request: JSON, timeoutMilliseconds: Int64 = 60_000, as type: Answer.Type = JSON.self
    ) throws -> Answer {
        let bytes = try Message.encode(request, as: method.requestType)
        let answer = try call(path: method.rawValue, bytes, timeoutMilliseconds: timeoutMilliseconds)
        return try Message.decode(answer, as: method.responseType)
    }

    /// Opens a stream of any kind.
    public func open(_ method: Method, timeoutMilliseconds: Int64 = 60_000) throws -> CallStream {
        guard let handle = kith_stream_open(channel, method.rawValue, timeoutMilliseconds) else {
            throw CallError(code: .unavailable, message: "no stream to \(address)")
        }
        return CallStream(handle, method, keeping: self)
    }

    /// Opens a stream of answers to one request.
    public func open(_ method: Method, _ request: JSON, timeoutMilliseconds: Int64 = 60_000) throws -> CallStream {
        let stream = try open(method, timeoutMilliseconds: timeoutMilliseconds)
        try stream.send(request)
        stream.writesDone()
        return stream
    }
}
