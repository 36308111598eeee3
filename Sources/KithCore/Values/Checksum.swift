import CXXHash

/// XXH3 with 64 bits, the one checksum of everything Kith stores. About 10 GB/s.
public func checksum64(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    XXH3_64bits(bytes.baseAddress, bytes.count)
}

/// The same checksum, of bytes that come in pieces.
public struct StreamingChecksum: ~Copyable {
    private let state: OpaquePointer?

    public init() {
        state = XXH3_createState()
        XXH3_64bits_reset(state)
    }

    deinit { XXH3_freeState(state) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        XXH3_64bits_update(state, bytes.baseAddress, bytes.count)
    }

    /// The checksum of all bytes so far.
    public var value: UInt64 { XXH3_64bits_digest(state) }
}
