/// Bytes somebody else owns: valid only while the owner lives, which the holder must see to.
///
/// The one way in which request bytes travel from a gRPC message to the store without a copy.
public struct ByteView: @unchecked Sendable {
    public let bytes: UnsafeRawBufferPointer

    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    @inlinable
    public init(start: UnsafeRawPointer?, count: Int) {
        self.bytes = UnsafeRawBufferPointer(start: count == 0 ? nil : start, count: count)
    }

    public static let empty = ByteView(UnsafeRawBufferPointer(start: nil, count: 0))

    @inlinable public var count: Int { bytes.count }
    @inlinable public var isEmpty: Bool { bytes.isEmpty }

    /// A copy that owns its bytes.
    public var array: [UInt8] { Array(bytes) }

    /// The bytes as text; malformed UTF-8 is repaired.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// Bytes that live as long as this object: what a `ByteView` points into.
public final class OwnedBytes: @unchecked Sendable {
    private let storage: UnsafeMutableRawBufferPointer

    public init(_ bytes: some Collection<UInt8>) {
        storage = .allocate(byteCount: max(bytes.count, 1), alignment: 64)
        storage.copyBytes(from: bytes)
        view = ByteView(start: storage.baseAddress, count: bytes.count)
    }

    deinit { storage.deallocate() }

    public let view: ByteView
}
