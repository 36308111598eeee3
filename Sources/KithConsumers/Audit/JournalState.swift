import Foundation
import KithCommands
package import KithCore

/// The journal's two small files, each sealed: with the key's HMAC where there is a key, else with a plain hash, which shows
/// damage but not intent.
package enum JournalSeal {
    private struct Sealed: Codable {
        var content: String
        var seal: String
    }

    /// Replaces the file: readers have the one before or this one, whole.
    package static func write<Content: Encodable>(_ content: Content, to path: String, key: [UInt8]?) throws(KithError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes: [UInt8]
        do {
            let text = String(decoding: try encoder.encode(content), as: UTF8.self)
            bytes = [UInt8](try encoder.encode(Sealed(content: text, seal: seal(text, key))))
        } catch {
            throw KithError(.internal, .storageFailure, "\(path) cannot be written: \(error)", metadata: ["path": path])
        }
        try DurableFiles.replace(path, with: bytes)
    }

    /// Nil where there is no such file.
    ///
    /// - Throws: `CORRUPTION` where the seal does not fit.
    package static func read<Content: Decodable>(
        _ path: String, key: [UInt8]?, as type: Content.Type = Content.self
    ) throws(KithError) -> Content? {
        guard Files.exists(path) else { return nil }
        let data = try Files.read(path)
        guard let sealed = try? JSONDecoder().decode(Sealed.self, from: data),
            let content = try? JSONDecoder().decode(Content.self, from: Data(sealed.content.utf8))
        else { throw corrupt(path, "cannot be read") }
        guard sealed.seal == seal(sealed.content, key) else {
            throw corrupt(path, "has a seal that does not fit: it was changed, or the key is another")
        }
        return content
    }

    private static func seal(_ text: String, _ key: [UInt8]?) -> String {
        let bytes = Array(text.utf8)
        return key.map { "hmac-sha256:" + Digest.hex(Digest.hmac($0, bytes)) } ?? "sha256:" + Digest.hex(Digest.sha256(bytes))
    }

    private static func corrupt(_ path: String, _ what: String) -> KithError {
        KithError(.dataLoss, .corruption, "\(path) \(what)", metadata: ["path": path])
    }

    /// The key in a file, without the line end; nil without a file.
    package static func key(_ path: String?) throws(KithError) -> [UInt8]? {
        guard let path else { return nil }
        var key = [UInt8](try Files.read(path))
        while key.last == 0x0A || key.last == 0x0D { key.removeLast() }
        guard key.count >= 16 else {
            throw .usage("the key in \(path) has \(key.count) bytes, at least 16 are wanted", key: "key-file")
        }
        return key
    }
}

/// `head.json`: where the journal ends. It is replaced with each commit, so what counts of the segments is what it says.
package struct JournalHead: Codable, Sendable, Equatable {
    /// Number of the last segment, from 1.
    package var segment = 1
    /// Bytes of the last segment.
    package var bytes = 0
    /// The last record's number; 0 where there is none.
    package var n: UInt64 = 0
    /// The last record's hash.
    package var hash = Digest.hex(JournalLine.origin)
    /// Where each partition goes on: `topic[partition]` to offset.
    package var offsets: [String: Int64] = [:]
    /// The last event of each source that was written, by partition: older ones that come again are known.
    package var sources: [String: EventOrder] = [:]

    package init() {}
}

/// `anchor.json`: what the first segment that is kept follows, once retention has dropped those before.
package struct JournalAnchor: Codable, Sendable, Equatable {
    /// The first segment that is kept.
    package var segment: Int
    /// The last record that was dropped.
    package var n: UInt64
    /// Its hash: what the first kept record follows.
    package var hash: String
    /// When that was, in seconds since 1970.
    package var dropped: Int64
}

/// Where an event stands in its source: its position and index there.
package struct EventOrder: Codable, Sendable, Equatable, Comparable {
    /// Of the commit in its shard's log.
    package var position: UInt64
    /// Among the commit's events; the audit of a commit has the greatest.
    package var index: UInt64

    package static func < (left: EventOrder, right: EventOrder) -> Bool {
        (left.position, left.index) < (right.position, right.index)
    }
}
