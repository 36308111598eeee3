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
                let outcome = DeliveryThread.serve(event, client)
                // The event holds the queue's room until it is destroyed: observers are told after that.
                rd_kafka_event_destroy(event)
                if let outcome { observe(outcome) }
            }
        }
    }

    /// Ends the thread, within `Limits.kafkaPollMilliseconds`.
    func stop() {
        thread.requestStop()
        thread.join()
    }

    private static func serve(_ event: OpaquePointer, _ client: KafkaClient) -> KafkaProducer.Event? {
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_DR:
            var count = 0
            while let message = rd_kafka_event_message_next(event) {
                guard let context = message.pointee._private else { continue }
                let receiver = Unmanaged<DeliveryReceiver>.fromOpaque(context).takeRetainedValue()
                let code = message.pointee.err
                if code == RD_KAFKA_RESP_ERR_NO_ERROR { count += 1 }
                receiver.delivered(code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(code))
            }
            return .delivered(count)
        case RD_KAFKA_EVENT_ERROR:
            if let error = client.fatalError { return .ended(error) }
            let text = rd_kafka_event_error_string(event).map { String(cString: $0) }
            return .trouble(KafkaError(rd_kafka_event_error(event), text))
        default:
            return nil
        }
    }
}
