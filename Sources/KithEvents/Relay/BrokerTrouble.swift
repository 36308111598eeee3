import Synchronization

/// What the producer's thread tells the relay of brokers.
final class BrokerTrouble: Sendable {
    private struct State {
        var text: String?
        var end: KafkaError?
    }

    private let state = Mutex(State())

    /// The last trouble since a message was acknowledged.
    var text: String? { state.withLock { $0.text } }

    func note(_ event: KafkaProducer.Event) {
        state.withLock { state in
            switch event {
            case .delivered(let count):
                if count > 0 { state.text = nil }
            case .trouble(let error):
                state.text = "\(error)"
            case .ended(let error):
                state.text = "\(error)"
                state.end = error
            }
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
