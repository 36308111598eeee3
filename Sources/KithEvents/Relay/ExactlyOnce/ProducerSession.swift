import Foundation
import KithCore
import KithTelemetry

/// The life of one transactional producer, from fencing its predecessors to knowing all cursors that they committed.
///
/// Not shared: used by the lane's thread alone.
final class ProducerSession {
    private enum State {
        case closed
        /// Predecessors are fenced and their transactions ended.
        case fenced
        /// The session's own mark is being committed, behind all cursors of predecessors.
        case marking
        /// Up to the mark they are read.
        case reading
        case open
    }

    private let lane: Int
    private let cursors: CursorTopic
    private let trouble: BrokerTrouble
    private let key: [UInt8]
    private var mark: [UInt8] = []
    private var state = State.closed
    private var committed: [ShardID: PublishedCursor] = [:]
    private(set) var cursorTopic: KafkaTopic?

    init(lane: Int, cursors: CursorTopic, trouble: BrokerTrouble) {
        self.lane = lane
        self.cursors = cursors
        self.trouble = trouble
        key = Array(cursors.key(ofLane: lane).utf8)
    }

    var isOpen: Bool { if case .open = state { true } else { false } }

    /// Takes the next steps; answers whether the session is open now.
    func advance(_ producer: KafkaProducer) throws(RelaySetback) -> Bool {
        if case .closed = state {
            try transact { () throws(TransactionFailure) in
                try producer.initTransactions(milliseconds: Limits.kafkaRequestMilliseconds)
            }
            state = .fenced
        }
        if case .fenced = state {
            do throws(KithError) {
                try producer.prepareTopic(cursors.specification)
                cursorTopic = try producer.topic(cursors.name)
            } catch { throw .other(error) }
            try transact(producer.beginTransaction)
            // Any value that no other session has written.
            mark = Array("\"\(UUID().uuidString)\"".utf8)
            do throws(KithError) { try produce(key: key, value: mark, on: producer) } catch { throw .spoiled(error) }
            state = .marking
        }
        if case .marking = state {
            try transact { () throws(TransactionFailure) in
                try producer.commitTransaction(milliseconds: Limits.kafkaRequestMilliseconds)
            }
            state = .reading
        }
        if case .reading = state {
            do throws(KithError) {
                let isRead = try cursors.read(
                    until: cursors.key(ofLane: lane), is: mark, milliseconds: Limits.kafkaRequestMilliseconds)
                guard isRead else { return false }
            } catch { throw .other(error) }
            state = .open
            committed = [:]
            trouble.clear()
        }
        return isOpen
    }

    /// The open transaction was aborted.
    func aborted() {
        if case .marking = state { state = .fenced }
    }

    /// The producer is gone.
    func close() {
        state = .closed
        cursorTopic = nil
    }

    /// The shard's cursor in Kafka.
    func cursor(of shard: ShardID) throws(KithError) -> PublishedCursor? {
        if let cursor = committed[shard] { return cursor }
        return try cursors.cursor(of: shard)
    }

    /// Queues the cursors of a transaction, its last messages.
    func produce(_ moved: [ShardID: PublishedCursor], on producer: KafkaProducer) throws(KithError) {
        for (shard, cursor) in moved {
            try produce(key: Array(cursors.key(of: shard).utf8), value: try CursorTopic.encode(cursor), on: producer)
        }
    }

    func noteCommitted(_ moved: [ShardID: PublishedCursor]) { committed.merge(moved) { $1 } }

    private func produce(key: [UInt8], value: [UInt8], on producer: KafkaProducer) throws(KithError) {
        guard let cursorTopic else { return }
        let (key, value) = (OwnedBytes(key), OwnedBytes(value))
        defer { withExtendedLifetime((key, value)) {} }
        try producer.produceWaiting(
            to: cursorTopic, partition: CursorTopic.partition, key: key.view, value: value.view, headers: [],
            action: "write the relay's cursor")
    }

    private func transact(_ step: () throws(TransactionFailure) -> Void) throws(RelaySetback) {
        do throws(TransactionFailure) { try step() } catch { throw .transaction(error) }
    }
}

/// What stops a lane for a while.
enum RelaySetback: Error {
    case transaction(TransactionFailure)
    /// The open transaction cannot be completed.
    case spoiled(KithError)
    /// It holds a part of a commit whose rest cannot be sent; the shard has noted why.
    case unsendable
    case other(KithError)
}
