import Foundation
import KithCore
import KithTelemetry

/// What a lane's thread does, turn by turn: opens the producer's session, fills transactions, commits or aborts them.
///
/// A transaction is committed when it is full, `Limits.transactionMilliseconds` old, or when there is no more to add and the last commit is a
/// few times as long ago as it took, at most `Limits.transactionSpacingMilliseconds`: one event alone waits for nothing, many share the price
/// of a commit.
final class TransactionLoop {
    private static let interval = Duration.milliseconds(Limits.transactionMilliseconds)
    /// Time between two commits, in times of what one takes.
    private static let spacing = 2
    /// A commit that took long, once, is no reason for the next event to wait as long again.
    private static let longestSpacing = Duration.milliseconds(Limits.transactionSpacingMilliseconds)

    private let tools: RelayTools
    private let shards: RelayShards<TransactionalShard>
    private let session: ProducerSession
    private let trouble: BrokerTrouble
    private let timeout: Duration
    private let stopping: () -> Bool
    private var transaction: RelayTransaction?
    private var nextCommit: ContinuousClock.Instant?
    private var failures = 0
    private var retryAt: ContinuousClock.Instant?
    private var isFenced = false

    /// - Parameter timeout: after which Kafka gives up a transaction by itself.
    init(
        _ tools: RelayTools, _ shards: RelayShards<TransactionalShard>, _ session: ProducerSession, trouble: BrokerTrouble,
        timeout: Duration, stopping: @escaping () -> Bool
    ) {
        self.tools = tools
        self.shards = shards
        self.session = session
        self.trouble = trouble
        self.timeout = timeout
        self.stopping = stopping
    }

    /// One turn; answers nil where there is more to do at once.
    func turn() -> RelayPause? {
        let deadline = tendCursors()
        if let end = tools.producer.closeIfEnded() { producerEnded(end, isFence: end.isFence) }
        guard !isFenced else { return RelayPause(time: deadline) }
        guard !shards.all.isEmpty else { return RelayPause(time: earliest(deadline, tools.producer.tendTrouble())) }
        if let retryAt, retryAt > .now { return RelayPause(time: earliest(deadline, retryAt)) }
        switch tools.producer.availability() {
        case .waiting(let until): return RelayPause(time: earliest(deadline, until))
        case .ready(let producer):
            do throws(RelaySetback) {
                // A step that takes longer than its time is taken again.
                if !session.isOpen {
                    guard try session.advance(producer) else { return nil }
                }
                let hasMore = try fill(producer)
                // A shard that has just failed is to be tried again.
                let deadline = tendCursors()
                guard let due = due(hasMore: hasMore) else {
                    return RelayPause(time: earliest(deadline, tools.producer.tendTrouble()))
                }
                if due <= .now {
                    try commit(producer)
                    return nil
                }
                return hasMore ? nil : RelayPause(time: earliest(deadline, due))
            } catch {
                overcome(error, producer)
                return nil
            }
        }
    }

    /// At the end: commits what is open, if Kafka answers in time.
    func finish() {
        guard !isFenced, session.isOpen, transaction != nil, case .ready(let producer) = tools.producer.availability() else {
            return
        }
        do throws(RelaySetback) { try commit(producer) } catch {
            relayLog.warning("the last transaction is left to Kafka to end", ["error": "\(error)"])
        }
    }

    // MARK: Steps

    /// Saves cursors where it is time to; answers when to look again, for that or for a shard that failed.
    private func tendCursors() -> ContinuousClock.Instant? {
        shards.all.reduce(nil) { earliest($0, $1.change { $0.tendCursor(tools) }) }
    }

    /// Gives every shard a turn; answers whether one has more.
    private func fill(_ producer: KafkaProducer) throws(RelaySetback) -> Bool {
        var hasMore = false
        var open = transaction
        defer { transaction = open }
        for shard in shards.all where shard.change(\.wantsToSend) {
            if open == nil {
                do throws(TransactionFailure) { try producer.beginTransaction() } catch { throw .transaction(error) }
                _ = trouble.takeLoss()
            }
            var filling = open ?? RelayTransaction()
            let outcome = shard.change { turn in
                turn.send(
                    tools, producer,
                    known: { () throws(KithError) in try session.cursor(of: shard.feed.shard) }, into: &filling)
            }
            open = filling
            switch outcome {
            case .more: hasMore = true
            case .idle: break
            case .spoiled: throw .unsendable
            }
        }
        return hasMore && !(open?.isFull ?? false)
    }

    /// When the open transaction is to be committed; nil where there is none.
    private func due(hasMore: Bool) -> ContinuousClock.Instant? {
        guard let transaction, !transaction.cursors.isEmpty else { return nil }
        if transaction.isFull { return .now }
        if hasMore { return transaction.beganAt + TransactionLoop.interval }
        return nextCommit ?? .now
    }

    /// Commits the open transaction, however long brokers take; gives up only when the relay ends.
    private func commit(_ producer: KafkaProducer) throws(RelaySetback) {
        guard let open = transaction else { return }
        let began = ContinuousClock.now
        do throws(KithError) { try session.produce(open.cursors, on: producer) } catch { throw .spoiled(error) }
        do throws(TransactionFailure) {
            try untilDecided { () throws(TransactionFailure) in
                try producer.commitTransaction(milliseconds: Limits.kafkaRequestMilliseconds)
            }
        } catch { throw .transaction(error) }
        transaction = nil
        let end = ContinuousClock.now
        nextCommit = end + min((end - began) * TransactionLoop.spacing, TransactionLoop.longestSpacing)
        failures = 0
        retryAt = nil
        trouble.clear()
        tools.metrics.publishedEvents.add(open.events)
        tools.metrics.publishedBytes.add(open.bytes)
        session.noteCommitted(open.cursors)
        for shard in shards.all {
            guard let cursor = open.cursors[shard.feed.shard] else { continue }
            shard.change { $0.committed(cursor.position, tools) }
        }
    }

    /// Takes a step again until brokers have decided it, or the relay ends.
    private func untilDecided(_ step: () throws(TransactionFailure) -> Void) throws(TransactionFailure) {
        let end = ContinuousClock.now + tools.options.flushGrace
        while true {
            let began = ContinuousClock.now
            do throws(TransactionFailure) { return try step() } catch {
                guard error.remedy == .again, !stopping() || end > began else { throw error }
                trouble.note(.trouble(error.error))
                // Brokers that are down cost their timeout; should one refuse at once, it is not asked without end.
                if ContinuousClock.now - began < tools.options.firstRetry {
                    Thread.sleep(forTimeInterval: Double(tools.options.firstRetry.milliseconds) / 1_000)
                }
            }
        }
    }

    // MARK: Setbacks

    private func overcome(_ setback: RelaySetback, _ producer: KafkaProducer) {
        switch setback {
        case .other(let error):
            backOff("the relay cannot begin to publish", "\(error)")
        case .spoiled(let error):
            abort(producer, because: "\(error)", isNoted: false)
        case .unsendable:
            abort(producer, because: "a commit cannot be sent as a whole", isNoted: true)
        case .transaction(let failure):
            switch failure.remedy {
            case .again:
                trouble.note(.trouble(failure.error))
                retryAt = .now + .milliseconds(Limits.kafkaPollMilliseconds)
            case .abort: abort(producer, because: "\(failure)", isNoted: false)
            case .newProducer, .fenced: end(failure, producer)
            }
        }
    }

    private func end(_ failure: TransactionFailure, _ producer: KafkaProducer) {
        tools.producer.giveUp(failure.error)
        producerEnded(failure.error, isFence: failure.remedy == .fenced)
    }

    /// Aborts the open transaction: what it held is sent again, in a while.
    ///
    /// - Parameter isNoted: the shard at fault knows and waits; the others go on at once.
    private func abort(_ producer: KafkaProducer, because reason: String, isNoted: Bool) {
        relayLog.warning("a transaction is aborted", ["reason": reason])
        do throws(TransactionFailure) {
            try untilDecided { () throws(TransactionFailure) in
                try producer.abortTransaction(milliseconds: Limits.kafkaRequestMilliseconds)
            }
        } catch { return end(error, producer) }
        transaction = nil
        session.aborted()
        let all = shards.all
        all.forEach { $0.change { $0.rolledBack() } }
        if isNoted { return }
        // Of a lost event the partition tells the shard.
        guard let loss = trouble.takeLoss() else { return backOff("transactions fail", reason) }
        let losers = all.filter { Int($0.feed.shard.shard) == loss.partition && $0.status.topic == loss.topic }
        for shard in losers { shard.change { $0.fail(loss.error.asKithError("cannot publish to Kafka"), tools) } }
        if losers.isEmpty { backOff("transactions fail", "\(loss.topic)[\(loss.partition)]: \(loss.error)") }
    }

    /// The producer has ended: the next one asks Kafka what became of its last transaction. One that was fenced has none after it.
    private func producerEnded(_ error: KafkaError, isFence: Bool) {
        tools.metrics.publishErrors.add()
        // Kafka ends a transaction that was left open for too long in the same way as a second relay does.
        let isTimeout = transaction.map { ContinuousClock.now - $0.beganAt > timeout / 2 } ?? false
        transaction = nil
        session.close()
        let all = shards.all
        all.forEach { $0.change { $0.producerEnded() } }
        guard isFence, !isTimeout else { return }
        isFenced = true
        let fence = KithError(
            .failedPrecondition, .relayFenced,
            "another server publishes for the same cluster name and topic prefix: this one has stopped publishing; "
                + "end one of the two, then restart the other (\(error.name))", metadata: ["kafka_error": error.name])
        relayLog.error("this relay was fenced and has stopped", ["error": "\(fence)"])
        trouble.note(.trouble(error))
        all.forEach { $0.change { $0.fail(fence, tools) } }
    }

    private func backOff(_ what: String, _ why: String) {
        failures += 1
        let delay = tools.options.delay(afterFailures: failures)
        retryAt = .now + delay
        tools.metrics.publishErrors.add()
        relayLog.error(what, ["error": why, "in": "\(delay)"])
    }
}
