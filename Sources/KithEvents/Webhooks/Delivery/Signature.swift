internal import CCrypto
import Foundation

/// Standard Webhooks, "symmetric" signatures (github.com/standard-webhooks/standard-webhooks): HMAC-SHA256 of id, time and body.
package enum Signature {
    /// The value of `webhook-signature`: `v1,<base64>` for each secret, so that a receiver may know either.
    package static func header(id: String, timestamp: Int64, body: [UInt8], secrets: [WebhookSecret]) -> String {
        let content = Array("\(id).\(timestamp).".utf8) + body
        return secrets.map { "v1," + Data(hmac(Array($0.key), content)).base64EncodedString() }.joined(separator: " ")
    }

    /// RFC 2104 with SHA-256: 32 bytes.
    private static func hmac(_ key: [UInt8], _ content: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        var size: UInt32 = 0
        HMAC(EVP_sha256(), key, Int32(key.count), content, content.count, &digest, &size)
        return digest
    }

    /// The id of a message with these events: the same whenever they are sent together. Without a full stop, which separates what is signed.
    package static func messageID(eventIDs: [String]) -> String {
        let content = Array(eventIDs.joined(separator: "\n").utf8)
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        SHA256(content, content.count, &digest)
        return "msg_" + Data(digest[..<18]).base64EncodedString().map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }
    }
}
