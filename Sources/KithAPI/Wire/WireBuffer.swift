import CGRPCShim
import Foundation
import KithCore

/// A serialised message that the shim made; given on to a call, or freed here.
final class WireBuffer: @unchecked Sendable {
    private var handle: OpaquePointer?

    /// - Throws: `STORAGE_FAILURE` when the shim had no memory.
    init(_ handle: OpaquePointer?) throws(KithError) {
        guard let handle else { throw KithError(.resourceExhausted, .storageFailure, "no memory for a message") }
        self.handle = handle
    }

    /// Takes over a buffer that may be absent, such as an error text.
    init(owning handle: OpaquePointer?) { self.handle = handle }

    deinit { kith_buffer_free(handle) }

    /// The bytes; they live no longer than this object, which the holder must see to. `withBytes` does.
    var bytes: KithBytes { handle.map { kith_buffer_bytes($0) } ?? KithBytes() }

    /// Calls `body` with the bytes, which live as long as the call, even where nothing else holds the buffer.
    func withBytes<Result>(_ body: (KithBytes) throws(KithError) -> Result) throws(KithError) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(bytes)
    }

    /// A copy.
    var data: Data { withExtendedLifetime(self) { Data(bytes.view.bytes) } }
    var text: String { withExtendedLifetime(self) { bytes.text } }

    /// Gives the buffer away; once.
    func take() -> OpaquePointer {
        guard let handle else { preconditionFailure("a message was sent twice") }
        self.handle = nil
        return handle
    }
}

/// A parsed message: views borrow from it.
final class WireMessage: @unchecked Sendable {
    private let handle: OpaquePointer
    /// Vectors that had to be converted.
    private(set) var conversions: [OwnedBytes] = []

    init(_ handle: OpaquePointer?) throws(KithError) {
        guard let handle else {
            throw KithError(
                .invalidArgument, .malformedMessage, "the request is not a message of this method",
                violations: [.init(field: "", description: "the bytes are not a message of this method")])
        }
        self.handle = handle
    }

    deinit { kith_message_free(handle) }

    func keep(_ bytes: OwnedBytes) { conversions.append(bytes) }
}

extension KithBytes {
    init(_ view: ByteView) {
        self.init(data: view.bytes.bindMemory(to: UInt8.self).baseAddress, size: view.count)
    }

    var view: ByteView { ByteView(start: data, count: size) }
    var text: String { view.text }
    var isEmpty: Bool { size == 0 }
}

extension String {
    func withKithBytes<Result>(_ body: (KithBytes) throws(KithError) -> Result) throws(KithError) -> Result {
        try Array(utf8).withBytes { (bytes: UnsafeRawBufferPointer) throws(KithError) in try body(KithBytes(ByteView(bytes))) }
    }

    func withKithBytes<Result>(_ body: (KithBytes) -> Result) -> Result {
        Array(utf8).withUnsafeBytes { body(KithBytes(ByteView($0))) }
    }
}
