internal import CGRPCShim
import KithCore

/// The bytes of one encoded event.
struct EventBuffer: ~Copyable {
    private let buffer: OpaquePointer

    init(_ event: borrowing KithChangeEventView, as encoding: EventEncoding) throws(KithError) {
        let message = withUnsafePointer(to: event) { kith_encode_change_event($0) }
        guard let message else { throw EventBuffer.outOfMemory }
        switch encoding {
        case .protobuf:
            buffer = message
        case .json:
            defer { kith_buffer_free(message) }
            guard let json = kith_message_to_json("kith.v1.ChangeEvent", kith_buffer_bytes(message), false) else {
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

    /// Valid as long as this buffer.
    var bytes: ByteView {
        let bytes = kith_buffer_bytes(buffer)
        return ByteView(start: bytes.data, count: bytes.size)
    }

    private static var outOfMemory: KithError {
        KithError(.resourceExhausted, .limitExceeded, "no memory to encode a change event")
    }
}
