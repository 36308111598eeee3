package import KithCore
import KithTelemetry

/// Makes changes of records, leaves out those that came twice and those that cannot be, and hands the others to a store in batches.
package final class ChangeLoader: RecordSink {
    private static let log = Log("etl")
    private let store: any ChangeStore
    private let deadLetters: any DeadLetterOffice
    private let metrics: ConsumerMetrics
    private let passesGaps: Bool
    private var batches: [TopicPartition: ChangeBatch] = [:]
    private var progress: [TopicPartition: Progress] = [:]

    /// - Parameter passesGaps: whether it goes on where the stream itself says that commits are lost.
    package init(
        _ store: any ChangeStore, deadLetters: any DeadLetterOffice, metrics: ConsumerMetrics, passesGaps: Bool = false
    ) {
        self.passesGaps = passesGaps
        self.store = store
        self.deadLetters = deadLetters
        self.metrics = metrics
    }

    package func take(_ partitions: [TopicPartition]) throws(KithError) -> [TopicPartition: Int64?] {
        batches = [:]
        progress = try store.take(partitions)
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0, progress[$0]?.offset) })
    }

    package func add(_ record: ConsumedRecord) throws(KithError) {
        let place = record.place
        if record.header("ce_type") == ChangeRecord.gapType { try meetGap(record) }
        var batch =
            batches[place] ?? ChangeBatch(place: place, from: progress[place], to: progress[place] ?? Progress(offset: 0))
        batch.to.offset = record.offset + 1
        do throws(Poison) {
            guard record.header("ce_type") != ChangeRecord.gapType else { throw Poison("commits before it are lost") }
            let change = try ChangeRecord(record)
            if let last = batch.to.last, change.place <= last {
                metrics.duplicates.add()
            } else {
                batch.to.last = change.place
                batch.changes.append(change)
            }
        } catch { try bury(record, error.reason) }
        batches[place] = batch
    }

    package func commit() throws(KithError) -> [TopicPartition: Int64] {
        let waiting = batches.values.sorted { $0.place < $1.place }
        try deadLetters.commit()
        try store.write(waiting) { change, reason throws(KithError) in
            try bury(change.source, reason)
            try deadLetters.commit()
        }
        for batch in waiting { progress[batch.place] = batch.to }
        batches = [:]
        return Dictionary(uniqueKeysWithValues: waiting.map { ($0.place, $0.to.offset) })
    }

    package func release() {
        batches = [:]
        progress = [:]
        store.release()
    }

    /// The sink can no longer end as the collection: somebody must decide.
    private func meetGap(_ record: ConsumedRecord) throws(KithError) {
        guard !passesGaps else { return }
        throw KithError(
            .outOfRange, .positionTrimmed,
            "\(record.place)@\(record.offset) says that commits before it are lost (\(record.header("ce_id") ?? "")). Fill the sink anew, or go on with --gaps pass",
            metadata: ["topic": record.place.topic])
    }

    private func bury(_ record: ConsumedRecord, _ reason: String) throws(KithError) {
        metrics.deadLetters.add()
        ChangeLoader.log.warning("a record is passed over", ["at": "\(record.place)@\(record.offset)", "reason": reason])
        try deadLetters.add(DeadLetter(record, reason))
    }
}
