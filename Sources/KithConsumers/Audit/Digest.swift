internal import CCrypto

/// SHA-256 and HMAC-SHA256, of OpenSSL's libcrypto.
package enum Digest {
    package static let byteCount = Int(SHA256_DIGEST_LENGTH)

    /// FIPS 180-4.
    package static func sha256(_ parts: [UInt8]...) -> [UInt8] {
        let bytes = parts.count == 1 ? parts[0] : Array(parts.joined())
        var digest = [UInt8](repeating: 0, count: byteCount)
        SHA256(bytes, bytes.count, &digest)
        return digest
    }

    /// RFC 2104.
    package static func hmac(_ key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        var size: UInt32 = 0
        HMAC(EVP_sha256(), key, Int32(key.count), bytes, bytes.count, &digest, &size)
        return digest
    }

    package static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
