package import KithCore
import KithTelemetry

/// Makes changes of records, leaves out those that came twice and those that cannot be, and hands the others to a store in batches.
package final class ChangeLoader: RecordSink {
    private static let log = Log("etl")
    private let store: any ChangeStore
    private let deadLetters: any DeadLetterOffice
    private let metrics: ConsumerMetrics
    private var batches: [TopicPartition: ChangeBatch] = [:]
    private var progress: [TopicPartition: Progress] = [:]

    package init(_ store: any ChangeStore, deadLetters: any DeadLetterOffice, metrics: ConsumerMetrics) {
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
        var batch =
            batches[place] ?? ChangeBatch(place: place, from: progress[place], to: progress[place] ?? Progress(offset: 0))
        batch.to.offset = record.offset + 1
        do throws(Poison) {
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

    private func bury(_ record: ConsumedRecord, _ reason: String) throws(KithError) {
        metrics.deadLetters.add()
        ChangeLoader.log.warning("a record is passed over", ["at": "\(record.place)@\(record.offset)", "reason": reason])
        try deadLetters.add(DeadLetter(record, reason))
    }
}
