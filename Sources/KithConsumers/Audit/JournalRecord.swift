import Foundation
import KithCore

/// One record of the journal: what happened, by whom, and where the event was read. It holds no payload and no vector, only a digest of
/// the event, so that the journal can be kept when data must be erased.
package struct JournalRecord: Codable, Sendable, Equatable {
    /// Its number in the journal, from 1, without gaps.
    package var n: UInt64
    /// When it happened, RFC 3339 in UTC.
    package var time: String
    /// The event's id.
    package var event: String
    /// Such as `change.update`, `audit.read`, `catalogue.collection.create`.
    package var operation: String
    /// Such as `collections/docs/points/7`.
    package var resource: String
    /// Who; empty where it is not known.
    package var actor: String
    /// With which program, from where.
    package var client: String
    /// The gRPC method's path; empty where the event does not say.
    package var method: String
    /// `succeeded`, `denied` or `failed`.
    package var outcome: String
    /// The request id that the client gave; empty where it gave none.
    package var request: String
    /// Of the point, where the event is a change; nil where there was none before.
    package var versionBefore: UInt64?
    /// The version that the change gave; nil where the event is no change.
    package var versionAfter: UInt64?
    /// What differs after an update: `payload.<key>`, `vectors.<space>`.
    package var changed: [String]?
    /// `topic[partition]@offset`.
    package var source: String
    /// SHA-256 of the event as Kafka carried it.
    package var digest: String
    /// When it was written here, in seconds since 1970: what retention goes by.
    package var recorded: Int64

    package init(
        n: UInt64, time: String, event: String, operation: String, resource: String, actor: String, client: String,
        method: String,
        outcome: String, request: String, source: String, digest: String, recorded: Int64
    ) {
        self.n = n
        self.time = time
        self.event = event
        self.operation = operation
        self.resource = resource
        self.actor = actor
        self.client = client
        self.method = method
        self.outcome = outcome
        self.request = request
        self.source = source
        self.digest = digest
        self.recorded = recorded
    }

    /// Its line's JSON.
    func json() throws(KithError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return [UInt8](try encoder.encode(self)) } catch {
            throw KithError(.internal, .storageFailure, "a record cannot be written: \(error)")
        }
    }
}

/// A line of a segment: `<hash> <JSON>`, the hash being SHA-256 over the hash before it and the JSON.
package enum JournalLine {
    /// What the first record follows.
    package static let origin = [UInt8](repeating: 0, count: Digest.byteCount)

    /// The line, and the hash that the next one follows.
    package static func bytes(_ json: [UInt8], after previous: [UInt8]) -> (line: [UInt8], hash: [UInt8]) {
        let hash = Digest.sha256(previous, json)
        return (Array(Digest.hex(hash).utf8) + [UInt8(ascii: " ")] + json + [UInt8(ascii: "\n")], hash)
    }

    /// The parts of a line; nil for one that is no line of ours.
    package static func parts(_ line: ArraySlice<UInt8>) -> (hash: String, json: ArraySlice<UInt8>)? {
        let digits = Digest.byteCount * 2
        guard line.count > digits + 1, line[line.startIndex + digits] == UInt8(ascii: " ") else { return nil }
        return (String(decoding: line.prefix(digits), as: UTF8.self), line.dropFirst(digits + 1))
    }
}
