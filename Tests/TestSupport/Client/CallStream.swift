import CGRPCShim

/// An open stream. One thread may read while another writes.
public final class CallStream: @unchecked Sendable {
    private let handle: OpaquePointer
    private let method: Method
    // Its channel must outlive the stream.
    private let connection: Connection

    init(_ handle: OpaquePointer, _ method: Method, keeping connection: Connection) {
        self.handle = handle
        self.method = method
        self.connection = connection
    }

    deinit {
        kith_stream_cancel(handle)
        kith_stream_free(handle)
    }

    /// Sends any bytes; false when the stream is broken.
    @discardableResult
    public func send(bytes: [UInt8]) -> Bool { withBytes(bytes) { kith_stream_write(handle, $0) } }

    @discardableResult
    public func send(_ message: JSON) throws -> Bool { send(bytes: try Message.encode(message, as: method.requestType)) }

    public func writesDone() { kith_stream_writes_done(handle) }

    /// The next message; nil at the end.
    public func read<Answer: Decodable>(as type: Answer.Type = JSON.self) throws -> Answer? {
        guard let bytes = take(kith_stream_read(handle)) else { return nil }
        return try Message.decode(bytes, as: method.responseType)
    }

    /// The next message without fields of default value; nil at the end.
    public func readWithoutDefaults() throws -> JSON? {
        guard let bytes = take(kith_stream_read(handle)) else { return nil }
        return try Message.decodeWithoutDefaults(bytes, as: method.responseType)
    }

    public func cancel() { kith_stream_cancel(handle) }

    /// Reads what is left and waits for the end. Once, and last.
    ///
    /// - Throws: what the stream ended with.
    public func finish() throws(CallError) {
        if let error = CallError(kith_stream_finish(handle)) { throw error }
    }
}
