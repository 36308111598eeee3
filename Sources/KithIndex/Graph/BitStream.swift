/// Appends numbers of a few bits each, the lowest bit first, to bytes that have room for them.
struct BitWriter {
    private let bytes: UnsafeMutableRawBufferPointer
    private var count = 0
    private var pending: UInt64 = 0
    private var pendingBits = 0

    init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

    /// - Parameter bits: at most 32, and enough for `value`.
    @inline(__always)
    mutating func append(_ value: UInt32, bits: Int) {
        pending |= UInt64(value) << UInt64(pendingBits)
        pendingBits += bits
        while pendingBits >= 8 {
            flushByte()
            pendingBits -= 8
        }
    }

    /// Writes the rest, filled up with zeros; answers how many bytes there are.
    mutating func finish() -> Int {
        if pendingBits > 0 { flushByte() }
        pendingBits = 0
        return count
    }

    @inline(__always)
    private mutating func flushByte() {
        bytes[count] = UInt8(truncatingIfNeeded: pending)
        pending >>= 8
        count += 1
    }
}

/// Reads what a `BitWriter` wrote, from bytes that need not be it.
struct BitReader {
    private let bytes: UnsafeRawBufferPointer
    /// Bytes taken.
    private(set) var offset = 0
    private var pending: UInt64 = 0
    private var pendingBits = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The next number, of at most 32 bits; nil past the end.
    @inline(__always)
    mutating func next(bits: Int) -> UInt32? {
        while pendingBits < bits {
            guard offset < bytes.count else { return nil }
            pending |= UInt64(bytes[offset]) << UInt64(pendingBits)
            pendingBits += 8
            offset += 1
        }
        let value = UInt32(truncatingIfNeeded: pending & ((1 << UInt64(bits)) - 1))
        pending >>= UInt64(bits)
        pendingBits -= bits
        return value
    }

    /// Whether nothing is left but the zeros that fill the last byte up.
    var isAtEnd: Bool { offset == bytes.count && pending == 0 }
}
