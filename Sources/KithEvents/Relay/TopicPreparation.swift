import KithCore
import KithTelemetry
import Synchronization

/// Makes sure that topics exist and are as specified, on a thread of its own: one that brokers do not make holds up its own shards alone.
///
/// It tries nothing again by itself: a shard that was told why a topic cannot be used asks again after its own wait.
final class TopicPreparation: Sendable {
    private let questions: TopicQuestions
    private let signal = WakeSignal()
    private let thread: WorkerThread

    init(metrics: Metrics) {
        let questions = TopicQuestions(metrics: metrics)
        self.questions = questions
        thread = WorkerThread(name: "kith-topics") { [signal] stopping in
            GentleThread.become()
            while !stopping() {
                guard let (topic, producer) = questions.next() else {
                    signal.wait(until: nil)
                    continue
                }
                do throws(KithError) {
                    try producer.prepareTopic(topic)
                    questions.answer(topic, nil)
                } catch { questions.answer(topic, error) }
            }
        }
    }

    /// Ends the thread; a request that is on its way is not waited for.
    func shutdown() {
        thread.requestStop()
        signal.raise()
    }

    /// Calls `wake` whenever brokers have answered for any topic, from this object's thread: it must only signal.
    func observe(_ wake: @escaping @Sendable () -> Void) { questions.observe(wake) }

    /// Whether a topic can be produced to. False while brokers are asked, by way of `producer`: observers are told when they have answered.
    ///
    /// - Throws: why it cannot, once: the next call asks again.
    func isReady(_ topic: TopicSpecification, _ producer: KafkaProducer) throws(KithError) -> Bool {
        defer { signal.raise() }
        return try questions.isReady(topic, producer)
    }

    /// It is looked at again before it is used the next time.
    func forget(_ topic: TopicSpecification) { questions.forget(topic) }
}

/// What is known of topics, and what is still to be asked.
private final class TopicQuestions: Sendable {
    private enum Progress {
        case asked
        case ready
        /// To be told once.
        case failed(KithError)
    }

    private struct State {
        var topics: [TopicSpecification: Progress] = [:]
        var waiting: [(TopicSpecification, KafkaProducer)] = []
        /// Names of those for which brokers last answered with a failure.
        var unusable: Set<String> = []
        var observers: [@Sendable () -> Void] = []
    }

    private let metrics: Metrics
    private let state = Mutex(State())

    init(metrics: Metrics) { self.metrics = metrics }

    func observe(_ wake: @escaping @Sendable () -> Void) { state.withLock { $0.observers.append(wake) } }

    func isReady(_ topic: TopicSpecification, _ producer: KafkaProducer) throws(KithError) -> Bool {
        try state.withLock { (state) throws(KithError) in
            switch state.topics[topic] {
            case .ready: return true
            case .asked: return false
            case .failed(let error):
                state.topics[topic] = nil
                throw error
            case nil:
                state.topics[topic] = .asked
                // Those that failed before wait behind those that nobody has asked for yet.
                let place = state.unusable.contains(topic.name) ? state.waiting.endIndex : state.waiting.startIndex
                state.waiting.insert((topic, producer), at: place)
                return false
            }
        }
    }

    func forget(_ topic: TopicSpecification) {
        state.withLock { state in
            if case .ready = state.topics[topic] { state.topics[topic] = nil }
        }
    }

    func next() -> (TopicSpecification, KafkaProducer)? {
        state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
    }

    func answer(_ topic: TopicSpecification, _ error: KithError?) {
        let observers = state.withLock { state in
            if let error {
                state.topics[topic] = .failed(error)
                if state.unusable.insert(topic.name).inserted {
                    relayLog.error(
                        "a topic cannot be used: shards that need it stand still, others go on",
                        ["topic": topic.name, "error": "\(error)"])
                }
            } else {
                state.topics[topic] = .ready
                if state.unusable.remove(topic.name) != nil { relayLog.info("a topic can be used", ["topic": topic.name]) }
            }
            metrics.relayUnusableTopics.set(state.unusable.count)
            return state.observers
        }
        observers.forEach { $0() }
    }
}
