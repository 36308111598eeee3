internal import CGRPCShim
import Foundation
import KithCore
import KithTelemetry

/// Says which commits a topic lacks: they were trimmed from the change log before Kafka had them (`change-log-full = trim`).
struct GapEvent {
    /// Commits that are lost.
    let positions: ClosedRange<LogPosition>
    private let texts: [OwnedBytes]
    private let content: OwnedBytes
    private let encoding: EventEncoding

    /// - Parameter time: microseconds since 1970.
    init(
        _ positions: ClosedRange<LogPosition>, of shard: ShardID, _ definition: CollectionDefinition, cluster: String, time: Int64
    ) throws(KithError) {
        self.positions = positions
        encoding = definition.eventEncoding
        let id = "\(cluster)/\(shard)/\(positions.upperBound)/gap"
        var timestamp: [UInt8] = []
        timestamp.append(timestamp: time)
        var sequence: [UInt8] = []
        sequence.append(sequencePosition: positions.upperBound, index: 0)
        texts = [
            OwnedBytes(id.utf8), OwnedBytes("//kith/\(cluster)/\(definition.name)".utf8),
            OwnedBytes("shards/\(shard.shard)".utf8), OwnedBytes(timestamp), OwnedBytes(sequence),
        ]
        let message = Message(
            id: id, firstPosition: "\(positions.lowerBound)", lastPosition: "\(positions.upperBound)",
            source: Message.Source(
                cluster: cluster, collection: definition.name, collectionId: shard.collection,
                shard: shard.shard == 0 ? nil : UInt32(shard.shard), position: "\(positions.upperBound)", tsUs: "\(time)"))
        content = try GapEvent.encode(message, as: encoding)
    }

    /// The shard, so that compaction elsewhere would keep one a shard.
    var key: ByteView { texts[2].view }
    var value: ByteView { content.view }

    /// CloudEvents 1.0 in binary mode; valid as long as this event.
    var headers: [KafkaHeader] {
        [
            KafkaHeader("ce_specversion", GapEvent.text("1.0")),
            KafkaHeader("ce_id", texts[0].view),
            KafkaHeader("ce_source", texts[1].view),
            KafkaHeader("ce_type", GapEvent.text("io.kith.changes.gap.v1")),
            KafkaHeader("ce_subject", texts[2].view),
            KafkaHeader("ce_time", texts[3].view),
            KafkaHeader("ce_partitionkey", texts[2].view),
            KafkaHeader("ce_dataschema", GapEvent.text("urn:kith:schema:kith.v1.GapEvent")),
            KafkaHeader("ce_sequence", texts[4].view),
            KafkaHeader(
                "content-type", GapEvent.text(encoding == .json ? "application/json" : "application/protobuf")),
        ]
    }

    /// A `kith.v1.GapEvent` as protobuf JSON has it.
    private struct Message: Encodable {
        struct Source: Encodable {
            var cluster: String
            var collection: String
            var collectionId: UInt32
            /// Nil of shard 0: protobuf JSON leaves out defaults.
            var shard: UInt32?
            var position: String
            var tsUs: String
        }
        var id: String
        var firstPosition: String
        var lastPosition: String
        var source: Source
    }

    private static func encode(_ message: Message, as encoding: EventEncoding) throws(KithError) -> OwnedBytes {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json: OwnedBytes
        do { json = OwnedBytes(try encoder.encode(message)) } catch {
            throw KithError(.internal, .corruption, "a GAP event cannot be written: \(error)")
        }
        guard encoding == .protobuf else { return json }
        var failure: OpaquePointer?
        let buffer = withExtendedLifetime(json) { kith_json_to_message("kith.v1.GapEvent", KithBytes(json.view), &failure) }
        defer { if let failure { kith_buffer_free(failure) } }
        guard let buffer else { throw KithError(.internal, .corruption, "a GAP event is no kith.v1.GapEvent") }
        defer { kith_buffer_free(buffer) }
        let bytes = kith_buffer_bytes(buffer)
        return OwnedBytes(UnsafeBufferPointer(start: bytes.data, count: bytes.size))
    }

    private static func text(_ literal: StaticString) -> ByteView {
        ByteView(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
    }
}

extension RelayTools {
    /// What says that the commits after `position` are gone up to the first that is kept; nil where none is, or where that must stop the
    /// relay.
    func gap(
        after position: LogPosition, in feed: any ChangeFeed, _ definition: CollectionDefinition
    ) throws(KithError) -> GapEvent? {
        let first = feed.firstPosition
        guard options.publishesGaps, first > position + 1 else { return nil }
        let gap = try GapEvent(
            (position + 1)...(first - 1), of: feed.shard, definition, cluster: cluster,
            time: Int64(Date().timeIntervalSince1970 * 1e6))
        relayLog.error(
            "commits were trimmed before Kafka had them: a GAP event says so",
            ["shard": "\(feed.shard)", "first": "\(position + 1)", "last": "\(first - 1)"])
        return gap
    }
}
