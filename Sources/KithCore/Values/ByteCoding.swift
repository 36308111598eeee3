/// Reading and writing fixed and variable integers: what keys and rows are made of.
extension [UInt8] {
    /// As keys have numbers: unsigned ones sort as their bytes do.
    @inlinable
    public mutating func appendBigEndian<T: FixedWidthInteger>(_ value: T) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    /// As rows have numbers: all bytes of `T`, lowest first.
    @inlinable
    public mutating func appendLittleEndian<T: FixedWidthInteger>(_ value: T) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// LEB128, as protobuf writes integers.
    @inlinable
    public mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    /// A varint length, then the bytes.
    @inlinable
    public mutating func appendSized(_ bytes: UnsafeRawBufferPointer) {
        appendVarint(UInt64(bytes.count))
        append(contentsOf: bytes)
    }

    /// A varint count of UTF-8 bytes, then those.
    @inlinable
    public mutating func appendSized(_ text: String) {
        appendVarint(UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }
}

extension UnsafeRawBufferPointer {
    /// The big-endian number at `offset`; the caller has checked the bounds.
    @inlinable
    public func bigEndian<T: FixedWidthInteger>(at offset: Int, as type: T.Type = T.self) -> T {
        T(bigEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// The little-endian number at `offset`, aligned or not; the caller has checked the bounds.
    @inlinable
    public func littleEndian<T: FixedWidthInteger>(at offset: Int, as type: T.Type = T.self) -> T {
        T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }
}

/// Reads a row front to back. Every read past the end throws `CORRUPTION`: stored bytes are never trusted.
public struct ByteReader {
    public let bytes: UnsafeRawBufferPointer
    /// Bytes read so far.
    public private(set) var offset = 0

    /// Borrows the bytes: they outlive the reader and what it returns of them.
    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    public var isAtEnd: Bool { offset == bytes.count }

    /// The next bytes, not copied.
    public mutating func take(_ count: Int) throws(KithError) -> UnsafeRawBufferPointer {
        guard count >= 0, bytes.count - offset >= count else {
            throw KithError(
                .dataLoss, .corruption, "a stored row ends early: \(count) bytes wanted at \(offset) of \(bytes.count)")
        }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    /// The next `MemoryLayout<T>.size` bytes as a number, as `appendLittleEndian` wrote it.
    public mutating func littleEndian<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(KithError) -> T {
        try take(MemoryLayout<T>.size).littleEndian(at: 0)
    }

    public mutating func byte() throws(KithError) -> UInt8 { try littleEndian() }

    /// An integer that `appendVarint` wrote; `CORRUPTION` too where it has more than 10 bytes.
    public mutating func varint() throws(KithError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            let next = try byte()
            value |= UInt64(next & 0x7F) << UInt64(shift)
            if next < 0x80 { return value }
        }
        throw KithError(.dataLoss, .corruption, "a stored integer does not end at byte \(offset)")
    }

    /// The bytes that `appendSized` wrote, not copied.
    public mutating func sized() throws(KithError) -> UnsafeRawBufferPointer {
        let count = try varint()
        return try take(Int(clamping: count))
    }

    /// The text that `appendSized` wrote; bytes that are not UTF-8 become U+FFFD.
    public mutating func text() throws(KithError) -> String {
        String(decoding: try sized(), as: UTF8.self)
    }
}
