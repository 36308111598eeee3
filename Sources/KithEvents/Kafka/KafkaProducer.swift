internal import CRdKafka
public import KithCore
import Synchronization

/// A header of a message to be produced.
public struct KafkaHeader: Sendable {
    /// Such as `ce_id`.
    public var name: StaticString
    /// Read until `produce` returns.
    public var value: ByteView

    /// - Parameter value: borrowed: what it lies in must outlive the call of `produce`.
    public init(_ name: StaticString, _ value: ByteView) {
        self.name = name
        self.value = value
    }
}

/// What a message belongs to, and who hears what became of it: exactly once a message, on the producer's thread.
open class DeliveryReceiver: @unchecked Sendable {
    public init() {}

    /// - Parameter error: nil where every in-sync replica has the message.
    open func delivered(_ error: KafkaError?) {}
}

/// A topic to produce to.
public final class KafkaTopic: @unchecked Sendable {
    /// With the prefix of all topics.
    public let name: String
    fileprivate let handle: OpaquePointer
    // Topics must end before their client does.
    private let client: KafkaClient

    fileprivate init(_ name: String, client: KafkaClient) throws(KithError) {
        guard let handle = rd_kafka_topic_new(client.handle, name, nil) else {
            throw KafkaError(rd_kafka_last_error()).asKithError("cannot use topic \(name)")
        }
        self.name = name
        self.handle = handle
        self.client = client
    }

    deinit { rd_kafka_topic_destroy(handle) }
}

/// An idempotent producer: within its life each partition gets every message once, in the order produced, with no gap.
///
/// A message that a broker refuses ends the producer (`enable.gapless.guarantee`), so that nothing after it can overtake it; or, where the
/// producer is transactional, the transaction.
public final class KafkaProducer: Sendable {
    /// What the producer's thread tells.
    public enum Event: Sendable {
        /// Messages were reported to their receivers, so many of them as delivered, and room was made in the queue.
        case delivered(Int)
        /// Messages to a partition were given up.
        case undelivered(topic: String, partition: Int, KafkaError)
        /// Trouble that librdkafka goes on to work on by itself.
        case trouble(KafkaError)
        /// The producer has ended: only `close` is left.
        case ended(KafkaError)
    }

    /// What became of a message at once; its receiver hears the rest.
    public enum ProduceOutcome: Sendable {
        /// It is copied, and on its way.
        case queued
        /// The queue is full: try again after an `Event.delivered`.
        case queueFull
        /// This message can never be sent.
        case refused(KafkaError)
    }

    let client: KafkaClient
    private let deliveries: DeliveryThread

    /// - Parameter observe: called on the producer's thread.
    /// - Throws: `INVALID_CONFIGURATION`, naming the property.
    public init(
        configuration: KafkaConfiguration, transactionalID: String? = nil, observe: @escaping @Sendable (Event) -> Void
    ) throws(KithError) {
        client = try KafkaClient(
            .producer, configuration, settings: KafkaProducer.settings(transactionalID: transactionalID),
            events: RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR)
        deliveries = DeliveryThread(client: client, observe: observe)
    }

    private static func settings(transactionalID: String?) -> [String: String] {
        var settings = [
            "enable.idempotence": "true",
            "acks": "all",
            "linger.ms": "5",
            // An outage ends for the relay soon after it ends.
            "reconnect.backoff.max.ms": "1000",
            "compression.codec": "lz4",
            "queue.buffering.max.messages": "\(Limits.producerQueueMessages)",
            "queue.buffering.max.kbytes": "\(Limits.producerQueueBytes >> 10)",
        ]
        if let transactionalID {
            settings["transactional.id"] = transactionalID
            settings["transaction.timeout.ms"] = "\(Limits.transactionTimeoutMilliseconds)"
            // The commit says that all were delivered.
            settings["delivery.report.only.error"] = "true"
        } else {
            settings["enable.gapless.guarantee"] = "true"
            // A message is never given up for its age: the change log waits with it.
            settings["message.timeout.ms"] = "0"
        }
        return settings
    }

    deinit { close() }

    /// To be made once and kept: each is a handle of librdkafka.
    public func topic(_ name: String) throws(KithError) -> KafkaTopic { try KafkaTopic(name, client: client) }

    /// Queues one message; its bytes are copied. `receiver` hears of it exactly once if the answer is `queued`, else never; of a
    /// transactional producer it hears only of failures.
    public func produce(
        to topic: KafkaTopic, partition: Int, key: ByteView, value: ByteView, headers: [KafkaHeader],
        receiver: DeliveryReceiver? = nil
    ) -> ProduceOutcome {
        let list = rd_kafka_headers_new(headers.count)
        for header in headers {
            header.name.withUTF8Buffer { name in
                _ = name.withMemoryRebound(to: CChar.self) {
                    rd_kafka_header_add(list, $0.baseAddress, $0.count, header.value.bytes.baseAddress, header.value.count)
                }
            }
        }
        let context = receiver.map { Unmanaged.passRetained($0) }
        let code = kith_kafka_produce(
            client.handle, topic.handle, Int32(partition), key.bytes.baseAddress, key.count, value.bytes.baseAddress,
            value.count, list, context?.toOpaque())
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return .queued }
        context?.release()
        rd_kafka_headers_destroy(list)
        return code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? .queueFull : .refused(KafkaError(code))
    }

    /// Makes sure that a topic exists and is as specified; never alters one that does exist. Blocks for at most a few
    /// `Limits.kafkaRequestMilliseconds`.
    ///
    /// - Throws: `INVALID_CONFIGURATION`, saying what is wrong with it; `BROKER_FAILURE`.
    public func prepareTopic(_ topic: TopicSpecification) throws(KithError) { try client.prepareTopic(topic) }

    /// Whether a broker answers within so many milliseconds.
    func reachesBrokers(milliseconds: Int) -> Bool {
        var answer: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(client.handle, 0, nil, &answer, Int32(clamping: milliseconds))
        if let answer { rd_kafka_metadata_destroy(answer) }
        return code == RD_KAFKA_RESP_ERR_NO_ERROR
    }

    /// Waits until everything queued has been reported, at most `milliseconds`; answers whether it was.
    @discardableResult
    public func flush(milliseconds: Int) -> Bool {
        rd_kafka_flush(client.handle, Int32(clamping: milliseconds)) == RD_KAFKA_RESP_ERR_NO_ERROR
    }

    /// Gives up what is still queued, telling the receivers, and stops the thread. Not to be called from a receiver.
    public func close() {
        rd_kafka_purge(client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        flush(milliseconds: Limits.kafkaRequestMilliseconds)
        deliveries.stop()
    }
}
