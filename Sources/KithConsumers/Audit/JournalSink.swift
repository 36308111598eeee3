import Foundation
package import KithCore
import KithTelemetry

/// Records of topics into a journal; the journal's head has the offsets.
package final class JournalSink: RecordSink {
    private static let log = Log("audit")
    private let path: String
    private let key: [UInt8]?
    private let segmentBytes: Int
    private let retention: JournalRetention?
    private let metrics: ConsumerMetrics
    private let now: () -> Int64
    private var writer: JournalWriter?
    private var moved: Set<TopicPartition> = []
    private var sweptSegment = 0

    /// - Parameters:
    ///   - keepSeconds: older segments are dropped as new ones begin; nil keeps all.
    ///   - now: seconds since 1970.
    package init(
        _ path: String, key: [UInt8]?, segmentBytes: Int, keepSeconds: Int64?, metrics: ConsumerMetrics,
        now: @escaping () -> Int64 = { Int64(Date().timeIntervalSince1970) }
    ) {
        self.path = path
        self.key = key
        self.segmentBytes = segmentBytes
        retention = keepSeconds.map { JournalRetention(path, key: key, keepSeconds: $0) }
        self.metrics = metrics
        self.now = now
    }

    package func take(_ partitions: [TopicPartition]) throws(KithError) -> [TopicPartition: Int64?] {
        moved = []
        writer = nil
        let writer = try JournalWriter(path, key: key, segmentBytes: segmentBytes)
        self.writer = writer
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0, writer.head.offsets["\($0)"]) })
    }

    package func add(_ record: ConsumedRecord) throws(KithError) {
        guard let writer else { throw KithError(.failedPrecondition, .storageFailure, "the journal is not open") }
        writer.follow(record.place, to: record.offset + 1)
        moved.insert(record.place)
        if let id = record.header("ce_id").flatMap(EventID.init), writer.isKnown("\(record.place) \(id.source)", id.order) {
            metrics.duplicates.add()
            return
        }
        try writer.add(JournalRecord(record, recorded: now()))
    }

    package func commit() throws(KithError) -> [TopicPartition: Int64] {
        guard let writer else { return [:] }
        try writer.commit()
        if let retention, writer.head.segment != sweptSegment {
            sweptSegment = writer.head.segment
            let dropped = try retention.run(now: now())
            if dropped > 0 { JournalSink.log.info("retention has dropped segments", ["segments": "\(dropped)"]) }
        }
        defer { moved = [] }
        return Dictionary(uniqueKeysWithValues: moved.map { ($0, writer.head.offsets["\($0)"] ?? 0) })
    }

    package func release() {
        writer = nil
        moved = []
    }
}
