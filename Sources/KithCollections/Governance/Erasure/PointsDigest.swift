import CCrypto
import KithCore

/// Names a set of points without naming any.
enum PointsDigest {
    /// SHA-256 of the ids as text, sorted bytewise, each followed by a line feed.
    static func of(_ ids: Set<PointID>) -> [UInt8] {
        let texts = ids.map { Array($0.description.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
        let bytes: [UInt8] = texts.reduce(into: []) { $0 += $1 + [0x0A] }
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        SHA256(bytes, bytes.count, &digest)
        return digest
    }
}
