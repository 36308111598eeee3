package import KithCore
import KithTelemetry

/// Makes changes of records, leaves out those that came twice and those that cannot be, and hands the others to a store in batches.
package final class ChangeLoader: RecordSink {
    private static let log = Log("etl")
    private let store: any ChangeStore
    private let deadLetters: any DeadLetterOffice
    private let metrics: ConsumerMetrics
    private let claims: ClaimedEvents
    private let passesGaps: Bool
    private var batches: [TopicPartition: ChangeBatch] = [:]
    private var progress: [TopicPartition: Progress] = [:]
    package private(set) var fetchedBytes = 0

    /// - Parameters:
    ///   - claims: where events are fetched that were too large for Kafka; nowhere, where it is nil.
    ///   - passesGaps: whether it goes on where the stream itself says that commits are lost.
    package init(
        _ store: any ChangeStore, deadLetters: any DeadLetterOffice, metrics: ConsumerMetrics,
        claims: ClaimedEvents? = nil, passesGaps: Bool = false
    ) {
        self.claims = claims ?? ClaimedEvents(metrics: metrics)
        self.passesGaps = passesGaps
        self.store = store
        self.deadLetters = deadLetters
        self.metrics = metrics
    }

    package func take(_ partitions: [TopicPartition]) throws(KithError) -> [TopicPartition: Int64?] {
        forgetBatches()
        progress = try store.take(partitions)
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0, progress[$0]?.offset) })
    }

    package func add(_ record: ConsumedRecord) throws(KithError) {
        let place = record.place
        if record.header("ce_type") == ChangeRecord.gapType { try meetGap(record) }
        // In place: to copy the batch for each record would cost more than all else.
        let empty = ChangeBatch(place: place, from: progress[place], to: progress[place] ?? Progress(offset: 0))
        try add(record, to: &batches[place, default: empty])
    }

    private func add(_ record: ConsumedRecord, to batch: inout ChangeBatch) throws(KithError) {
        batch.to.offset = record.offset + 1
        switch ChangeLoader.change(record) {
        case .failure(let poison): try bury(record, poison.reason)
        case .success(let change) where ChangeLoader.isKnown(change, after: batch.to.last): metrics.duplicates.add()
        case .success(let change):
            batch.to.last = max(batch.to.last ?? change.place, change.place)
            if let whole = try whole(change) { batch.changes.append(whole) }
        }
    }

    private static func change(_ record: ConsumedRecord) -> Result<ChangeRecord, Poison> {
        guard record.header("ce_type") != ChangeRecord.gapType else { return .failure(Poison("commits before it are lost")) }
        return Result { () throws(Poison) in try ChangeRecord(record) }
    }

    /// Whether Kafka has brought an event again. The READs of a snapshot share one place, which says what they include.
    private static func isKnown(_ change: ChangeRecord, after last: EventPlace?) -> Bool {
        guard let last else { return false }
        guard change.operation == .read else { return change.place <= last }
        return (change.place.collection, change.place.position) < (last.collection, last.position)
    }

    /// The change with its images; nil where it went to the dead letters.
    private func whole(_ change: ChangeRecord) throws(KithError) -> ChangeRecord? {
        switch try claims.resolve(change) {
        case .whole(let whole, let bytes):
            fetchedBytes += bytes
            return whole
        case .missing(let why):
            try bury(change.source, why)
            return nil
        }
    }

    package func commit() throws(KithError) -> [TopicPartition: Int64] {
        let waiting = batches.values.sorted { $0.place < $1.place }
        try deadLetters.commit()
        try store.write(waiting) { change, reason throws(KithError) in
            try bury(change.source, reason)
            try deadLetters.commit()
        }
        for batch in waiting { progress[batch.place] = batch.to }
        forgetBatches()
        return Dictionary(uniqueKeysWithValues: waiting.map { ($0.place, $0.to.offset) })
    }

    private func forgetBatches() {
        batches = [:]
        fetchedBytes = 0
    }

    package func release() {
        forgetBatches()
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
