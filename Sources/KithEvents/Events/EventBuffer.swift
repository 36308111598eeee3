internal import CGRPCShim
import KithCore

/// The bytes of one encoded event.
struct EventBuffer: ~Copyable {
    private let buffer: OpaquePointer

    /// Takes over a serialised message, and makes JSON of it where that is wanted.
    init(message: OpaquePointer?, _ type: String, as encoding: EventEncoding) throws(KithError) {
        guard let message else { throw EventBuffer.outOfMemory }
        switch encoding {
        case .protobuf:
            buffer = message
        case .json:
            defer { kith_buffer_free(message) }
            guard let json = kith_message_to_json(type, kith_buffer_bytes(message), false) else {
                throw EventBuffer.outOfMemory
            }
            buffer = json
        }
    }

    /// Takes over a buffer that the shim made.
    init(owning handle: OpaquePointer?) throws(KithError) {
        guard let handle else { throw EventBuffer.outOfMemory }
        buffer = handle
    }

    deinit { kith_buffer_free(buffer) }

    /// Calls `body` with the bytes behind a frame; they are valid during the call.
    borrowing func framed<Answer>(
        by frame: OwnedBytes?, _ body: (ByteView) throws(KithError) -> Answer
    ) throws(KithError) -> Answer {
        guard let frame else { return try body(bytes) }
        let whole = OwnedBytes(frame.view.array + bytes.array)
        defer { withExtendedLifetime(whole) {} }
        return try body(whole.view)
    }

    /// Valid as long as this buffer.
    var bytes: ByteView {
        let bytes = kith_buffer_bytes(buffer)
        return ByteView(start: bytes.data, count: bytes.size)
    }

    private static var outOfMemory: KithError {
        KithError(.resourceExhausted, .limitExceeded, "no memory to encode a change event")
    }
}
