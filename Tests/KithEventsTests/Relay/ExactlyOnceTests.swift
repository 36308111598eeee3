import KithCore
import KithEvents
import KithTelemetry
import Testing

/// What brokers can do to transactions. The test brokers show aborted events, too: here later copies count for nothing, and the tests with a
/// real broker see to it that there are none.
@Suite(.serialized) struct ExactlyOnceTests {
    private let broker: MockBroker
    private let feed = MemoryChangeFeed()
    private let metrics = Metrics()

    init() throws {
        broker = try MockBroker(brokers: 2)
        try broker.createTopic("kith.changes.v1.words", partitions: 2)
        try broker.createTopic("kith.relay.cursor.v1", partitions: 1)
    }

    private func relay(
        _ delivery: DeliveryGuarantee = .exactlyOnce, _ properties: [String: String] = [:]
    ) throws -> Relay {
        let quick = ["reconnect.backoff.ms": "10", "reconnect.backoff.max.ms": "50", "retry.backoff.ms": "10"]
        return try Relay(
            configuration: KafkaConfiguration(
                brokers: broker.bootstrapServers, delivery: delivery, properties: quick.merging(properties) { $1 }),
            cluster: "c", metrics: metrics,
            options: RelayOptions(
                firstRetry: .milliseconds(20), lastRetry: .milliseconds(100), cursorInterval: .milliseconds(5)))
    }

    private func commit(_ count: Int) {
        for _ in 0..<count { feed.commit((0..<2).map { creation($0) }) }
    }

    /// - Parameter aborted: a commit whose transaction was aborted when its cursor may have been written, which the test brokers show, too: whether its
    ///   events come again is then for the tests with a real broker to tell.
    private func expectAll(butMaybe aborted: LogPosition? = nil) throws {
        let consumer = try KafkaConsumer(configuration: KafkaConfiguration(brokers: broker.bootstrapServers))
        try consumer.assign(topic: "kith.changes.v1.words", partitions: 0..<1)
        var expected: [String] = []
        _ = try feed.forEachCommit(after: 0) { (commit, _) throws(KithError) in
            if commit.position != aborted { expected += commit.changes.indices.map { "c/7.0/\(commit.position)/\($0)" } }
            return true
        }
        let ids = try consumer.readIDs(until: [expected])[0]
        #expect(unique(ids).filter { id in !(aborted.map { id.hasPrefix("c/7.0/\($0)/") } ?? false) } == expected)
    }

    @Test(arguments: [
        (MockBroker.Request.initProducer, [MockBroker.Fault.coordinatorNotAvailable, .concurrentTransactions]),
        (.addPartitions, [.coordinatorNotAvailable, .concurrentTransactions]),
        (.endTransaction, [.coordinatorNotAvailable, .concurrentTransactions]),
        (.produce, [.notLeader, .timeout, .notEnoughReplicas]),
    ])
    func passingErrorsAreRetried(request: MockBroker.Request, faults: [MockBroker.Fault]) throws {
        broker.fail(request, faults)
        let relay = try relay()
        try relay.start(feed: feed) { sampleDefinition() }
        commit(100)
        #expect(feed.waitForCursor(100))
        broker.fail(request, faults)
        commit(100)
        #expect(feed.waitForCursor(200))
        try expectAll()
    }

    @Test(arguments: [MockBroker.Fault.messageTooLarge, .outOfOrderSequence])
    func aTransactionThatCannotBeCommittedIsSentAgain(fault: MockBroker.Fault) throws {
        let relay = try relay()
        try relay.start(feed: feed) { sampleDefinition() }
        commit(50)
        #expect(feed.waitForCursor(50))
        // On a busy machine something may have failed before.
        let earlier = metrics.publishErrors.current
        broker.fail(.produce, [fault])
        // Unlike Kafka, the test broker takes events behind one that it refused: there must be none.
        feed.commit([creation(0)])
        #expect(eventually { metrics.publishErrors.current > earlier })
        commit(49)
        #expect(feed.waitForCursor(100))
        #expect(relay.status().shards[0].failure == nil)
        // That one ends the producer, and the next believes the cursor that it finds.
        try expectAll(butMaybe: fault == .outOfOrderSequence ? 51 : nil)
    }

    @Test func brokersThatAreDownAreWaitedFor() throws {
        let relay = try relay()
        try relay.start(feed: feed) { sampleDefinition() }
        commit(50)
        #expect(feed.waitForCursor(50))
        for number in 1...2 { try broker.setBroker(number, isUp: false) }
        commit(50)
        for number in 1...2 { try broker.setBroker(number, isUp: true) }
        #expect(feed.waitForCursor(100))
        try expectAll()
    }

    /// Else they would come again after a crash.
    @Test func eventsBeforeARowThatCannotBeReadAreCommittedWithTheirCursor() throws {
        commit(10)
        feed.setUnreadable(6)
        let first = try relay()
        try first.start(feed: feed) { sampleDefinition() }
        #expect(feed.waitForCursor(5))
        #expect(eventually { first.status().shards[0].failure?.reason == .corruption })
        first.shutdown()
        feed.setUnreadable(nil)
        // As if the log's own cursor had not been saved before a crash.
        try feed.saveCursor("kafka", at: 0)
        let second = try relay()
        try second.start(feed: feed) { sampleDefinition() }
        #expect(feed.waitForCursor(10))
        let consumer = try KafkaConsumer(configuration: KafkaConfiguration(brokers: broker.bootstrapServers))
        try consumer.assign(topic: "kith.changes.v1.words", partitions: 0..<1)
        let expected = (1...10).flatMap { position in (0..<2).map { "c/7.0/\(position)/\($0)" } }
        #expect(try consumer.readIDs(until: [expected]) == [expected])
    }

    @Test(arguments: DeliveryGuarantee.allCases)
    func troubleIsOverWhenBrokersAnswerThoughNothingIsSent(delivery: DeliveryGuarantee) throws {
        let relay = try relay(delivery)
        try relay.start(feed: feed) { sampleDefinition() }
        commit(10)
        #expect(feed.waitForCursor(10))
        for number in 1...2 { try broker.setBroker(number, isUp: false) }
        #expect(eventually { relay.status().trouble != nil })
        for number in 1...2 { try broker.setBroker(number, isUp: true) }
        #expect(eventually { relay.status().trouble == nil })
    }

    @Test func aRelayThatIsFencedStops() throws {
        let relay = try relay()
        try relay.start(feed: feed) { sampleDefinition() }
        commit(10)
        #expect(feed.waitForCursor(10))
        broker.fail(.endTransaction, [.producerFenced])
        commit(1)
        #expect(eventually { relay.status().shards[0].failure != nil })
        #expect(relay.status().shards[0].failure?.reason == .relayFenced)
        let before = feed.reads.count
        commit(100)
        relay.shutdown()
        #expect(feed.reads.count == before, "a fenced relay reads on")
        #expect(try feed.cursor("kafka") == 10)
    }

    @Test func anEventTooLargeLeavesAClaimCheck() throws {
        let relay = try relay(.exactlyOnce, ["message.max.bytes": "3000"])
        feed.setVector([UInt8](repeating: 7, count: 5_000), slot: 1)
        try relay.start(feed: feed) { sampleDefinition(shards: 2, vectors: .full) }
        let small = Change(operation: .create, id: .number(1), before: nil, after: sampleImage(version: 1, slots: []))
        for _ in 0..<5 { feed.commit([small]) }
        feed.commit([small, creation(2)])
        feed.commit([small])
        #expect(feed.waitForCursor(7))
        #expect(relay.status().shards[0].failure == nil)
    }

    @Test(arguments: [(1_000, 0, "has been published"), (5, 99, "of another collection")])
    func aLogThatIsNotTheOneThatWasPublishedIsRefused(published: Int, createdAt: Int64, text: String) throws {
        let first = try relay()
        commit(published)
        try first.start(feed: feed) { sampleDefinition() }
        #expect(feed.waitForCursor(LogPosition(published)))
        first.shutdown()
        let other = MemoryChangeFeed()
        for _ in 0..<10 { other.commit([creation(1)]) }
        let second = try relay()
        try second.start(feed: other) {
            var definition = sampleDefinition()
            definition.createdAt = createdAt
            return definition
        }
        #expect(eventually { second.status().shards[0].failure != nil })
        let failure = second.status().shards[0].failure
        #expect(failure?.reason == .invalidConfiguration)
        #expect(failure?.message.contains(text) == true)
        #expect(try other.cursor("kafka") == 0)
    }
}
