import KithCore
import KithEvents
import Synchronization
import Testing

/// Counts what became of messages.
private final class Counted: DeliveryReceiver, @unchecked Sendable {
    let delivered = Atomic<Int>(0)
    let failures = Mutex<[KafkaError]>([])

    override func delivered(_ error: KafkaError?) {
        if let error { failures.withLock { $0.append(error) } } else { delivered.add(1, ordering: .relaxed) }
    }
}

@Suite(.serialized) struct KafkaProducerTests {
    private let broker: MockBroker
    private let configuration: KafkaConfiguration

    init() throws {
        broker = try MockBroker()
        configuration = KafkaConfiguration(brokers: broker.bootstrapServers)
    }

    @Test func messagesComeBackAsTheyWereSent() throws {
        let producer = try KafkaProducer(configuration: configuration) { _ in }
        let topic = try producer.topic("t")
        let receiver = Counted()
        for number in 0..<100 {
            let value = OwnedBytes(Array("value \(number)".utf8))
            let outcome = producer.produce(
                to: topic, partition: number % 2, key: view("key"), value: value.view,
                headers: [KafkaHeader("a", view("1")), KafkaHeader("empty", .empty)], receiver: receiver)
            guard case .queued = outcome else {
                Issue.record("message \(number): \(outcome)")
                return
            }
        }
        #expect(producer.flush(milliseconds: 30_000))
        #expect(receiver.delivered.load(ordering: .relaxed) == 100)

        let consumer = try KafkaConsumer(configuration: configuration)
        #expect(try consumer.offsets(of: "t", partition: 1) == 0..<50)
        try consumer.assign(topic: "t", partitions: 1..<2)
        let records = try consumer.read(50)
        #expect(records.map { String(decoding: $0.value ?? [], as: UTF8.self) } == (0..<50).map { "value \($0 * 2 + 1)" })
        let first = try #require(records.first)
        #expect(first.partition == 1 && first.offset == 0 && first.topic == "t" && first.key == Array("key".utf8))
        #expect(first.headers.map(\.name) == ["a", "empty"])
        #expect(first.header("a") == "1" && first.header("empty") == "" && first.header("b") == nil)

        try consumer.assign(topic: "t", partitions: 1..<2, from: .offset(48))
        #expect(try consumer.read(2).map(\.offset) == [48, 49])
    }

    @Test func aFullQueueSaysSo() throws {
        let tiny = KafkaConfiguration(
            brokers: "127.0.0.1:1", properties: ["queue.buffering.max.messages": "10", "linger.ms": "0"])
        let receiver = Counted()
        let producer = try KafkaProducer(configuration: tiny) { _ in }
        let topic = try producer.topic("t")
        var queued = 0
        var isFull = false
        while !isFull, queued < 100 {
            let outcome = producer.produce(
                to: topic, partition: 0, key: .empty, value: .empty, headers: [], receiver: receiver)
            if case .queueFull = outcome { isFull = true } else { queued += 1 }
        }
        #expect(isFull && queued == 10)
        producer.close()
        #expect(receiver.failures.withLock { $0.count } == 10)
        #expect(receiver.failures.withLock { $0.allSatisfy(\.isProducerGone) })
    }

    @Test func anExistingTopicIsVerifiedAndNotAltered() throws {
        try broker.createTopic("two", partitions: 2)
        let producer = try KafkaProducer(configuration: configuration) { _ in }
        try producer.prepareTopic(TopicSpecification(name: "two", partitions: 2))
        let error = #expect(throws: KithError.self) {
            try producer.prepareTopic(TopicSpecification(name: "two", partitions: 3))
        }
        #expect(error?.reason == .invalidConfiguration)
        #expect(error?.metadata == ["topic": "two", "partitions": "2", "shards": "3"])
        #expect(try KafkaConsumer(configuration: configuration).partitionCount(of: "two") == 2)
    }
}
