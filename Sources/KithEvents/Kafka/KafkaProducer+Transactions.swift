internal import CRdKafka
import KithCore

/// Why a step of a transaction failed, and what can be done.
public struct TransactionFailure: Error, Sendable, CustomStringConvertible {
    /// What can be done.
    public enum Remedy: Sendable {
        /// Take the same step again: nothing is decided yet.
        case again
        /// Abort the transaction and begin another.
        case abort
        /// Only a new producer can go on.
        case newProducer
        /// Nothing: another producer has taken over this transactional id.
        case fenced
    }

    /// What the step was answered with.
    public var error: KafkaError
    /// What librdkafka says of how to go on.
    public var remedy: Remedy

    public var description: String { error.description }
}

/// Kafka's transactions (KIP-98): all messages between begin and commit become visible together, to consumers with
/// `isolation.level=read_committed`. One thread takes the steps, each of which may block for so many milliseconds.
extension KafkaProducer {
    /// Ends what earlier producers with this transactional id left open, and fences them. Once, before all else.
    public func initTransactions(milliseconds: Int) throws(TransactionFailure) {
        try check(rd_kafka_init_transactions(client.handle, Int32(clamping: milliseconds)))
    }

    /// What is produced from here on belongs to it. Sends nothing by itself.
    public func beginTransaction() throws(TransactionFailure) {
        try check(rd_kafka_begin_transaction(client.handle))
    }

    /// Sends what is queued and commits. After `Remedy.again` the outcome is open until the same step says more.
    public func commitTransaction(milliseconds: Int) throws(TransactionFailure) {
        try check(rd_kafka_commit_transaction(client.handle, Int32(clamping: milliseconds)))
    }

    /// Gives up what is queued and aborts.
    public func abortTransaction(milliseconds: Int) throws(TransactionFailure) {
        try check(rd_kafka_abort_transaction(client.handle, Int32(clamping: milliseconds)))
    }

    private func check(_ failure: OpaquePointer?) throws(TransactionFailure) {
        guard let failure else { return }
        defer { rd_kafka_error_destroy(failure) }
        let error = KafkaError(rd_kafka_error_code(failure), String(cString: rd_kafka_error_string(failure)))
        if let end = client.fatalError ?? (rd_kafka_error_is_fatal(failure) != 0 ? error : nil) {
            throw TransactionFailure(error: end, remedy: end.isFence ? .fenced : .newProducer)
        }
        if rd_kafka_error_txn_requires_abort(failure) != 0 { throw TransactionFailure(error: error, remedy: .abort) }
        throw TransactionFailure(error: error, remedy: rd_kafka_error_is_retriable(failure) != 0 ? .again : .newProducer)
    }
}

extension KafkaError {
    /// Whether another producer has taken over the transactional id, or Kafka has given up the transaction.
    var isFence: Bool { ["_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH"].contains(name) }
}

extension KafkaProducer {
    /// Queues a message, and waits for room at most `Limits.kafkaRequestMilliseconds` where the queue is full.
    ///
    /// - Throws: `BROKER_FAILURE`, `MESSAGE_TOO_LARGE`; `action` says what was tried.
    func produceWaiting(
        to topic: KafkaTopic, partition: Int, key: ByteView, value: ByteView, headers: [KafkaHeader],
        action: @autoclosure () -> String
    ) throws(KithError) {
        let deadline = ContinuousClock.now + .milliseconds(Limits.kafkaRequestMilliseconds)
        while true {
            switch produce(to: topic, partition: partition, key: key, value: value, headers: headers) {
            case .queued: return
            case .refused(let error): throw error.asKithError("cannot \(action())")
            case .queueFull:
                guard deadline > .now else {
                    throw KithError(.unavailable, .brokerFailure, "cannot \(action()): the producer's queue stays full")
                }
                flush(milliseconds: Limits.kafkaPollMilliseconds)
            }
        }
    }
}
