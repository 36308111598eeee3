internal import CRdKafka
import KithCore

/// The thread that takes a producer's delivery reports and errors off its queue.
final class DeliveryThread: Sendable {
    private let thread: WorkerThread
    init(client: KafkaClient, observe: @escaping @Sendable (KafkaProducer.Event) -> Void) {
        thread = WorkerThread(name: "kith-kafka") { stopping in
            let queue = rd_kafka_queue_get_main(client.handle)
            defer { rd_kafka_queue_destroy(queue) }
            while !stopping() {
                guard let event = rd_kafka_queue_poll(queue, Int32(Limits.kafkaPollMilliseconds)) else { continue }
                let outcomes = DeliveryThread.serve(event, client)
                // The event holds the queue's room until it is destroyed: observers are told after that.
                rd_kafka_event_destroy(event)
                outcomes.forEach(observe)
            }
        }
    }

    /// Ends the thread, within `Limits.kafkaPollMilliseconds`.
    func stop() {
        thread.requestStop()
        thread.join()
    }

    private static func serve(_ event: OpaquePointer, _ client: KafkaClient) -> [KafkaProducer.Event] {
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_DR:
            return report(event)
        case RD_KAFKA_EVENT_ERROR:
            if let error = client.fatalError { return [.ended(error)] }
            let text = rd_kafka_event_error_string(event).map { String(cString: $0) }
            return [.trouble(KafkaError(rd_kafka_event_error(event), text))]
        default:
            return []
        }
    }

    /// Tells the receivers of one batch, which has one partition and mostly one fate.
    private static func report(_ event: OpaquePointer) -> [KafkaProducer.Event] {
        var count = 0
        var loss: KafkaProducer.Event?
        while let message = rd_kafka_event_message_next(event) {
            let code = message.pointee.err
            let error = code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(code)
            if let error, loss == nil {
                let topic = message.pointee.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? ""
                loss = .undelivered(topic: topic, partition: Int(message.pointee.partition), error)
            } else if error == nil {
                count += 1
            }
            guard let context = message.pointee._private else { continue }
            Unmanaged<DeliveryReceiver>.fromOpaque(context).takeRetainedValue().delivered(error)
        }
        return [.delivered(count)] + (loss.map { [$0] } ?? [])
    }
}
