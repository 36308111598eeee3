internal import KithCore

/// Efforts between two whole ones.
///
/// Inverted lists are few and long: one more or less is worth some points of recall. Where a recall lies between two efforts, some queries make
/// the one and some the other; which, the query's own bits decide, so that a query has one answer.
enum FractionalEffort {
    static func whole(_ effort: Double, for query: UnsafeRawPointer, byteCount: Int) -> Int {
        let least = effort.rounded(.down)
        let fraction = effort - least
        if fraction == 0 { return Int(least) }
        return Int(least) + (share(query, byteCount) < fraction ? 1 : 0)
    }

    /// A number from 0 up to 1 that follows from the bytes and looks like chance. O(bytes).
    private static func share(_ query: UnsafeRawPointer, _ byteCount: Int) -> Double {
        var hash: UInt64 = 0
        var offset = 0
        while offset + 8 <= byteCount {
            hash = (hash ^ query.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
            offset += 8
        }
        while offset < byteCount {
            hash = (hash ^ UInt64(query.load(fromByteOffset: offset, as: UInt8.self))) &* 0x9E37_79B9_7F4A_7C15
            offset += 1
        }
        return Double(mixBits(hash) >> 11) / Double(1 << 53)
    }
}
