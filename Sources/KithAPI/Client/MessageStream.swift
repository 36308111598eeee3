import CGRPCShim
import KithCore

/// A stream of messages of any kind. One thread may read while another writes.
final class MessageStream: @unchecked Sendable {
    private let client: KithClient
    private let handle: OpaquePointer

    init(_ client: KithClient, _ method: String) throws(KithError) {
        guard let handle = kith_stream_open(client.channel, method, 0) else {
            throw KithError(.unavailable, .serverUnreachable, "no stream to \(client.address)")
        }
        self.client = client
        self.handle = handle
    }

    /// Opens a stream of answers to one request.
    convenience init(_ client: KithClient, _ method: String, request: WireBuffer) throws(KithError) {
        try self.init(client, method)
        // A stream that is broken already says why when it is finished.
        _ = write(request)
        writesDone()
    }

    deinit { kith_stream_free(handle) }

    /// False when the stream is broken: `finish` says why.
    func write(_ message: WireBuffer) -> Bool {
        withExtendedLifetime(message) { kith_stream_write(handle, message.bytes) }
    }

    func writesDone() { kith_stream_writes_done(handle) }

    /// The next message; nil at the end.
    func read() -> WireBuffer? { kith_stream_read(handle).map { WireBuffer(owning: $0) } }

    func cancel() { kith_stream_cancel(handle) }

    /// Waits for the end and throws what the stream ended with, unless that is OK. Once, and last.
    func finish() throws(KithError) { try client.check(kith_stream_finish(handle)) }
}
