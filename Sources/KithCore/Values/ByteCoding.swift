/// Reading and writing fixed and variable integers: what keys and rows are made of.
extension [UInt8] {
    @inlinable
    public mutating func appendBigEndian<T: FixedWidthInteger>(_ value: T) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

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

    @inlinable
    public func littleEndian<T: FixedWidthInteger>(at offset: Int, as type: T.Type = T.self) -> T {
        T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }
}

/// Reads a row front to back. Every read past the end throws `CORRUPTION`: stored bytes are never trusted.
public struct ByteReader {
    public let bytes: UnsafeRawBufferPointer
    public private(set) var offset = 0

    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    public var isAtEnd: Bool { offset == bytes.count }

    public mutating func take(_ count: Int) throws(KithError) -> UnsafeRawBufferPointer {
        guard count >= 0, bytes.count - offset >= count else {
            throw KithError(
                .dataLoss, .corruption, "a stored row ends early: \(count) bytes wanted at \(offset) of \(bytes.count)")
        }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    public mutating func littleEndian<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(KithError) -> T {
        try take(MemoryLayout<T>.size).littleEndian(at: 0)
    }

    public mutating func byte() throws(KithError) -> UInt8 { try littleEndian() }

    public mutating func varint() throws(KithError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            let next = try byte()
            value |= UInt64(next & 0x7F) << UInt64(shift)
            if next < 0x80 { return value }
        }
        throw KithError(.dataLoss, .corruption, "a stored integer does not end at byte \(offset)")
    }

    public mutating func sized() throws(KithError) -> UnsafeRawBufferPointer {
        let count = try varint()
        return try take(Int(clamping: count))
    }

    public mutating func text() throws(KithError) -> String {
        String(decoding: try sized(), as: UTF8.self)
    }
}
