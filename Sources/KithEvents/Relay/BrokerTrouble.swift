import Synchronization

/// What the producer's thread tells the relay of brokers.
final class BrokerTrouble: Sendable {
    private struct State {
        var text: String?
        var end: KafkaError?
        var loss: Loss?
    }

    /// Messages to one partition that were given up.
    struct Loss {
        var topic: String
        var partition: Int
        var error: KafkaError
    }

    private let state = Mutex(State())

    /// The last trouble since a message was acknowledged.
    var text: String? { state.withLock { $0.text } }

    func note(_ event: KafkaProducer.Event) {
        state.withLock { state in
            switch event {
            case .delivered(let count):
                if count > 0 { state.text = nil }
            case .undelivered(let topic, let partition, let error):
                if !error.isProducerGone { state.loss = state.loss ?? Loss(topic: topic, partition: partition, error: error) }
            case .trouble(let error):
                state.text = "\(error)"
            case .ended(let error):
                state.text = "\(error)"
                state.end = error
            }
        }
    }

    /// All is well again, as far as a commit can tell.
    func clear() { state.withLock { $0.text = nil } }

    /// The first loss since the last time: answered once.
    func takeLoss() -> Loss? {
        state.withLock { state in
            defer { state.loss = nil }
            return state.loss
        }
    }

    /// Why the producer has ended: answered once.
    func takeEnd() -> KafkaError? {
        state.withLock { state in
            defer { state.end = nil }
            return state.end
        }
    }
}
