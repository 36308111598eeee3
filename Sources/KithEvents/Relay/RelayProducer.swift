import KithCore
import KithTelemetry

/// A lane's producer as its thread has it: given up when it has ended, and made again.
///
/// Not locked: made by the lane's initialiser, and from then on used by its thread alone.
final class RelayProducer: @unchecked Sendable {
    /// The producer, or when there will be one again.
    enum Availability {
        case ready(KafkaProducer)
        case waiting(until: ContinuousClock.Instant)
    }

    private let configuration: KafkaConfiguration
    private let transactionalID: String?
    private let options: RelayOptions
    private let trouble: BrokerTrouble
    private let wake: @Sendable () -> Void
    private var producer: KafkaProducer?
    private var madeAt = ContinuousClock.now
    private let preparation: TopicPreparation
    private var topics: [TopicSpecification: KafkaTopic] = [:]
    private var failures = 0
    private var retryAt: ContinuousClock.Instant?
    private var askAt: ContinuousClock.Instant?

    /// - Throws: `INVALID_CONFIGURATION`: a bad property shows at once, not at the first event.
    init(
        configuration: KafkaConfiguration, transactionalID: String? = nil, preparation: TopicPreparation,
        options: RelayOptions, trouble: BrokerTrouble, wake: @escaping @Sendable () -> Void
    ) throws(KithError) {
        self.configuration = configuration
        self.preparation = preparation
        self.transactionalID = transactionalID
        self.options = options
        self.trouble = trouble
        self.wake = wake
        producer = try makeProducer()
        preparation.observe(wake)
    }

    /// Gives up a producer that has ended by itself; answers why.
    func closeIfEnded() -> KafkaError? {
        guard let end = trouble.takeEnd(), producer != nil else { return nil }
        giveUp(end)
        return end
    }

    /// Gives up the producer; a new one is made in a while.
    func giveUp(_ reason: KafkaError) {
        guard let producer else { return }
        failures = ContinuousClock.now - madeAt > options.lastRetry ? 1 : failures + 1
        let delay = options.delay(afterFailures: failures)
        relayLog.error("the Kafka producer has ended and is made again", ["error": "\(reason)", "in": "\(delay)"])
        retryAt = .now + delay
        close(producer)
        // Said twice, it must not end the next one.
        _ = trouble.takeEnd()
    }

    /// For a lane that has nothing to do: where brokers were in trouble, asks them whether they still are, since nothing else would tell. Answers
    /// when to ask again; nil where all is well.
    func tendTrouble() -> ContinuousClock.Instant? {
        guard let producer, trouble.text != nil else { return nil }
        if let askAt, askAt > .now { return askAt }
        if producer.reachesBrokers(milliseconds: Limits.kafkaPollMilliseconds) {
            trouble.clear()
            return nil
        }
        let next = ContinuousClock.now + options.firstRetry
        askAt = next
        return next
    }

    func availability() -> Availability {
        if let producer { return .ready(producer) }
        if let retryAt, retryAt > .now { return .waiting(until: retryAt) }
        do throws(KithError) {
            let made = try makeProducer()
            producer = made
            return .ready(made)
        } catch {
            // Short of threads or memory: the configuration has proved right before.
            failures += 1
            let next = ContinuousClock.now + options.delay(afterFailures: failures)
            retryAt = next
            relayLog.error("cannot make a Kafka producer", ["error": "\(error)"])
            return .waiting(until: next)
        }
    }

    /// A topic of the contract, ready to take a collection's records; nil while brokers are asked for it, and `wake` is called when they have
    /// answered. Looked at once until `forgetTopics`.
    func topic(
        _ topic: EventTopic, of definition: CollectionDefinition, on producer: KafkaProducer
    ) throws(KithError) -> KafkaTopic? {
        let specification = specification(of: topic, definition)
        if let topic = topics[specification] { return topic }
        guard try preparation.isReady(specification, producer) else { return nil }
        let topic = try producer.topic(specification.name)
        topics[specification] = topic
        return topic
    }

    func name(of topic: EventTopic, _ definition: CollectionDefinition) -> String {
        topic.name(prefix: configuration.topicPrefix, collection: definition.name)
    }

    /// Those that a collection's records go to are looked at again.
    func forgetTopics(of definition: CollectionDefinition) {
        for topic in EventTopic.allCases {
            let specification = specification(of: topic, definition)
            topics[specification] = nil
            preparation.forget(specification)
        }
    }

    private func specification(of topic: EventTopic, _ definition: CollectionDefinition) -> TopicSpecification {
        TopicSpecification(
            name: name(of: topic, definition), partitions: topic.partitionCount(definition),
            replicationFactor: configuration.replicationFactor, cleanup: topic.isCompacted ? .compact : .delete,
            retention: topic == .audit ? configuration.auditRetention : nil)
    }

    /// Sends what is queued, for at most the grace, and ends.
    func shutdown() {
        guard let producer else { return }
        producer.flush(milliseconds: options.flushGrace.milliseconds)
        close(producer)
    }

    /// Ends at once; what is queued is given up.
    func close() {
        if let producer { close(producer) }
    }

    private func close(_ producer: KafkaProducer) {
        producer.close()
        topics = [:]
        self.producer = nil
    }

    private func makeProducer() throws(KithError) -> KafkaProducer {
        madeAt = .now
        return try GentleThread.run { [configuration, transactionalID, trouble, wake] () throws(KithError) in
            try KafkaProducer(configuration: configuration, transactionalID: transactionalID) { event in
                trouble.note(event)
                wake()
            }
        }
    }
}
