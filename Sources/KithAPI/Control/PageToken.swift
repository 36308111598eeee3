import Foundation
import KithCollections
import KithCore

/// Page tokens: opaque to clients, checked when they come back.
enum PageToken {
    static func pageSize(_ wanted: Int32, default standard: Int) throws(KithError) -> Int {
        if wanted == 0 { return standard }
        guard (1...Limits.pageSize).contains(Int(wanted)) else {
            throw .invalid(
                .limitExceeded, field: "page_size", "is \(wanted), it must be 1 to \(Limits.pageSize)",
                metadata: ["value": "\(wanted)", "limit": "\(Limits.pageSize)"])
        }
        return Int(wanted)
    }

    // MARK: Names

    static func encode(name: String) -> String { Data(name.utf8).base64EncodedString() }

    static func name(_ token: String) throws(KithError) -> String? {
        if token.isEmpty { return nil }
        guard token.utf8.count <= Limits.pageTokenBytes, let data = Data(base64Encoded: token),
            let name = String(data: data, encoding: .utf8)
        else { throw malformed }
        return name
    }

    // MARK: Scrolls

    /// collection (4), shard (2), then the last id, if any.
    static func encode(_ cursor: Collection.ScrollCursor, collection: UInt32) -> String {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(collection)
        bytes.appendLittleEndian(UInt16(cursor.shard))
        cursor.after?.encode(into: &bytes)
        return Data(bytes).base64EncodedString()
    }

    static func scroll(_ token: String, _ definition: CollectionDefinition) throws(KithError) -> Collection.ScrollCursor {
        if token.isEmpty { return Collection.ScrollCursor() }
        guard token.utf8.count <= Limits.pageTokenBytes, let data = Data(base64Encoded: token), data.count >= 6 else {
            throw malformed
        }
        return try Array(data).withBytes { bytes throws(KithError) in
            let made: UInt32 = bytes.littleEndian(at: 0)
            let shard: UInt16 = bytes.littleEndian(at: 4)
            guard made == definition.id, Int(shard) < definition.shardCount else { throw malformed }
            if bytes.count == 6 { return Collection.ScrollCursor(shard: Int(shard)) }
            guard let id = PointID(encoded: UnsafeRawBufferPointer(rebasing: bytes[6...])) else { throw malformed }
            return Collection.ScrollCursor(shard: Int(shard), after: id)
        }
    }

    private static var malformed: KithError {
        .invalid(.invalidPageToken, field: "page_token", "is not one that this method gave for this collection")
    }
}
