package import KithAPI
import KithCommands
package import KithCore
import KithTelemetry

/// Writes records of topics to a collection, each exactly once.
///
/// Before a batch is sent, the group's offset is committed with a note of where the batch ends; afterwards the new offset. Whoever takes the
/// partition over finds the note, reads exactly that batch again, and sends it under the same request id: a server that has it
/// already says so and does nothing. A member that was overtaken cannot commit, and so does not send.
package final class IngestSink: RecordSink {
    private struct Batch {
        var from: Int64
        var to: Int64
        var records: [ConsumedRecord] = []

        mutating func add(_ record: ConsumedRecord) {
            to = record.offset + 1
            records.append(record)
        }
    }

    private static let log = Log("ingest")
    private let client: KithClient
    private let mapping: RecordMapping
    private let group: String
    private let deadLetters: any DeadLetterOffice
    private let metrics: ConsumerMetrics
    private let consumer: GroupConsumer
    private var spaces: SpaceVectors?
    private var offsets: [TopicPartition: Int64] = [:]
    /// Where batches end that an earlier member may have sent.
    private var unfinished: [TopicPartition: Int64] = [:]
    private var batches: [TopicPartition: Batch] = [:]

    /// - Parameter consumer: the member of the group that reads for this sink.
    package init(
        _ client: KithClient, _ mapping: RecordMapping, group: String, deadLetters: any DeadLetterOffice,
        metrics: ConsumerMetrics,
        consumer: GroupConsumer
    ) {
        self.client = client
        self.mapping = mapping
        self.group = group
        self.deadLetters = deadLetters
        self.metrics = metrics
        self.consumer = consumer
    }

    package func take(_ partitions: [TopicPartition]) throws(KithError) -> [TopicPartition: Int64?] {
        batches = [:]
        spaces = SpaceVectors(try client.collection(mapping.collection).vectorSpaces, defaultSpace: "")
        let marks = try consumer.committed(partitions)
        offsets = marks.mapValues(\.offset)
        unfinished = marks.compactMapValues { Int64($0.note) }
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0, offsets[$0]) })
    }

    package func add(_ record: ConsumedRecord) throws(KithError) {
        // A batch that may have been sent is sent alone, as it was.
        if let end = unfinished[record.place], record.offset >= end { try finish(record.place) }
        let empty = Batch(from: offsets[record.place] ?? record.offset, to: record.offset + 1)
        // In place: to copy the batch for each record would cost more than all else.
        batches[record.place, default: empty].add(record)
        if unfinished[record.place] == record.offset + 1 { try finish(record.place) }
    }

    package func commit() throws(KithError) -> [TopicPartition: Int64] {
        for place in batches.keys.sorted() where unfinished[place] == nil { try send(place) }
        return [:]
    }

    package func release() {
        batches = [:]
        unfinished = [:]
        offsets = [:]
    }

    private func finish(_ place: TopicPartition) throws(KithError) {
        guard let end = unfinished[place] else { return }
        IngestSink.log.info("a batch that may have been sent is sent again", ["at": "\(place)", "to": "\(end)"])
        if batches[place] != nil {
            batches[place]?.to = end
            try send(place)
        }
        unfinished[place] = nil
    }

    private func send(_ place: TopicPartition) throws(KithError) {
        guard let batch = batches[place] else { return }
        try consumer.commit([place: OffsetMark(offset: batch.from, note: "\(batch.to)")])
        var operations: [(record: ConsumedRecord, operation: ClientOperation)] = []
        for record in batch.records {
            do throws(Poison) {
                guard let spaces else { throw Poison("the collection is not known") }
                operations.append((record, try mapping.operation(of: record, spaces)))
            } catch { try bury(record, error.reason) }
        }
        try write(operations, place, "\(batch.from)-\(batch.to)")
        try deadLetters.commit()
        try consumer.commit([place: OffsetMark(offset: batch.to)])
        offsets[place] = batch.to
        batches[place] = nil
    }

    private func write(
        _ operations: [(record: ConsumedRecord, operation: ClientOperation)], _ place: TopicPartition, _ range: String
    ) throws(KithError) {
        guard !operations.isEmpty else { return }
        do throws(KithError) {
            let answer = try client.write(
                mapping.collection, operations.map(\.operation), requestID: requestID(place, range))
            if answer.replayed { metrics.duplicates.add(operations.count) }
            for (outcome, item) in zip(answer.outcomes, operations) where outcome.result == .failed {
                try bury(item.record, outcome.error)
            }
        } catch {
            guard error.isRefusal else { throw error }
            // The request as a whole is refused for one of its records: each goes alone, and only the bad ones stay behind.
            guard operations.count > 1 else { return try bury(operations[0].record, error.description) }
            for item in operations { try write([item], place, "\(item.record.offset)") }
        }
    }

    /// The same whenever this batch is sent; as short as `Limits.requestIDBytes` wants.
    private func requestID(_ place: TopicPartition, _ range: String) -> String {
        "\(group)/\(place.topic)/\(place.partition)".shortened(to: Limits.requestIDBytes / 2) + "@" + range
    }

    private func bury(_ record: ConsumedRecord, _ reason: String) throws(KithError) {
        metrics.deadLetters.add()
        IngestSink.log.warning("a record is passed over", ["at": "\(record.place)@\(record.offset)", "reason": reason])
        try deadLetters.add(DeadLetter(record, reason))
    }
}

extension KithError {
    /// Whether the server refuses what was sent, and would again.
    fileprivate var isRefusal: Bool {
        switch code {
        case .invalidArgument: true
        case .resourceExhausted: reason == .messageTooLarge || reason == .limitExceeded
        default: false
        }
    }
}
