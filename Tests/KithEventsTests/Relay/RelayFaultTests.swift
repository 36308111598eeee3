import KithCore
import KithEvents
import KithTelemetry
import Synchronization
import Testing

/// What brokers and events can do to a relay: nothing is lost, and no event comes before an earlier one of its shard.
@Suite(.serialized) struct RelayFaultTests {
    private let broker: MockBroker
    private let feed = MemoryChangeFeed()
    private let metrics = Metrics()

    init() throws {
        broker = try MockBroker(brokers: 2)
        try broker.createTopic("kith.changes.v1.words", partitions: 2)
    }

    private func relay(_ properties: [String: String] = [:]) throws -> Relay {
        let quick = ["reconnect.backoff.ms": "10", "reconnect.backoff.max.ms": "50", "retry.backoff.ms": "10"]
        return try Relay(
            configuration: KafkaConfiguration(
                brokers: broker.bootstrapServers, properties: quick.merging(properties) { $1 }),
            cluster: "c", metrics: metrics,
            options: RelayOptions(
                firstRetry: .milliseconds(20), lastRetry: .milliseconds(100), cursorInterval: .milliseconds(5)))
    }

    private func commit(_ count: Int, changes: UInt64 = 2, to feed: MemoryChangeFeed? = nil) {
        for _ in 0..<count { (feed ?? self.feed).commit((0..<changes).map { creation($0) }) }
    }

    /// Reads the topic and expects every event of the feed, in order where copies are left out.
    private func expectAll(copies: Bool) throws {
        let consumer = try KafkaConsumer(configuration: KafkaConfiguration(brokers: broker.bootstrapServers))
        try consumer.assign(topic: "kith.changes.v1.words", partitions: 0..<1)
        var expected: [String] = []
        _ = try feed.forEachCommit(after: 0) { (commit, _) throws(KithError) in
            expected += commit.changes.indices.map { "c/7.0/\(commit.position)/\($0)" }
            return true
        }
        let ids = try consumer.readIDs(until: [expected])[0]
        #expect((copies ? unique(ids) : ids) == expected)
    }

    @Test func brokersThatAreDownAreWaitedFor() throws {
        let relay = try relay()
        try relay.start(feed: feed) { sampleDefinition() }
        commit(100)
        #expect(feed.waitForCursor(100))
        for number in 1...2 { try broker.setBroker(number, isUp: false) }
        commit(500)
        // A writer of another log is held up by nothing.
        #expect(feed.lastPosition == 600)
        for number in 1...2 { try broker.setBroker(number, isUp: true) }
        commit(100)
        #expect(feed.waitForCursor(700))
        try expectAll(copies: true)
    }

    @Test func brokersThatAreDownAtFirstAreWaitedFor() throws {
        for number in 1...2 { try broker.setBroker(number, isUp: false) }
        let relay = try relay()
        let tries = Tries()
        try relay.start(feed: feed) {
            tries.add()
            return sampleDefinition()
        }
        commit(10)
        #expect(tries.wait(for: 1))
        for number in 1...2 { try broker.setBroker(number, isUp: true) }
        #expect(feed.waitForCursor(10))
        try expectAll(copies: false)
    }

    @Test(arguments: [
        [MockBroker.Fault.notLeader, .notLeader], [.timeout], [.transport, .timeout, .notLeader],
        [.notEnoughReplicas, .transport],
    ])
    func passingErrorsAreRetried(faults: [MockBroker.Fault]) throws {
        let relay = try relay()
        try relay.start(feed: feed) { sampleDefinition() }
        commit(100)
        #expect(feed.waitForCursor(100))
        broker.fail(.produce, faults)
        commit(200)
        #expect(feed.waitForCursor(300))
        try expectAll(copies: true)
    }

    @Test func aLeaderThatMovesIsFollowed() throws {
        let relay = try relay()
        try relay.start(feed: feed) { sampleDefinition() }
        for leader in [1, 2, 1] {
            try broker.setLeader(topic: "kith.changes.v1.words", partition: 0, broker: leader)
            commit(200)
        }
        #expect(feed.waitForCursor(600))
        try expectAll(copies: true)
    }

    @Test(arguments: [MockBroker.Fault.outOfOrderSequence, .messageTooLarge])
    func aProducerThatEndsIsMadeAgain(fault: MockBroker.Fault) throws {
        let relay = try relay()
        try relay.start(feed: feed) { sampleDefinition() }
        commit(100)
        #expect(feed.waitForCursor(100))
        broker.fail(.produce, [fault])
        // Unlike Kafka, the test broker takes events behind one that it refused: there must be none.
        commit(1, changes: 1)
        #expect(eventually { metrics.publishErrors.current > 0 })
        commit(399)
        #expect(feed.waitForCursor(500))
        try expectAll(copies: true)
        #expect(relay.status().shards[0].failure == nil)
    }

    /// As after an answer that was lost: the events are there, and sending them again would be the second time.
    @Test func aBrokerThatHasEventsAlreadyIsBelieved() throws {
        let relay = try relay()
        try relay.start(feed: feed) { sampleDefinition() }
        commit(100)
        #expect(feed.waitForCursor(100))
        broker.fail(.produce, [.duplicateSequence])
        // The test broker answers so without having taken it.
        commit(1, changes: 1)
        #expect(feed.waitForCursor(101))
        commit(100)
        #expect(feed.waitForCursor(201))
        #expect(relay.status().shards[0].failure == nil && metrics.publishErrors.current == 0)
        let consumer = try KafkaConsumer(configuration: KafkaConfiguration(brokers: broker.bootstrapServers))
        try consumer.assign(topic: "kith.changes.v1.words", partitions: 0..<1)
        let expected = (1...201).filter { $0 != 101 }.flatMap { position in (0..<2).map { "c/7.0/\(position)/\($0)" } }
        #expect(try consumer.readIDs(until: [expected]) == [expected])
    }

    @Test func aFirstEventThatIsRefusedIsNotOvertaken() throws {
        commit(500)
        broker.fail(.produce, [.messageTooLarge, .messageTooLarge])
        let relay = try relay(["linger.ms": "0", "batch.num.messages": "10"])
        try relay.start(feed: feed) { sampleDefinition() }
        #expect(feed.waitForCursor(500))
        try expectAll(copies: true)
    }

    @Test func aFullQueueHoldsTheRelayBack() throws {
        let relay = try relay(["queue.buffering.max.messages": "7", "linger.ms": "0"])
        try relay.start(feed: feed) { sampleDefinition() }
        commit(50, changes: 20)
        #expect(feed.waitForCursor(50))
        try expectAll(copies: false)
    }

    @Test func anEventTooLargeLeavesAClaimCheck() throws {
        let relay = try relay(["message.max.bytes": "3000"])
        feed.setVector([UInt8](repeating: 7, count: 5_000), slot: 1)
        try relay.start(feed: feed) { sampleDefinition(shards: 2, vectors: .full) }
        let small = Change(operation: .create, id: .number(1), before: nil, after: sampleImage(version: 1, slots: []))
        for _ in 0..<5 { feed.commit([small]) }
        feed.commit([small, creation(2)])
        feed.commit([small])
        #expect(feed.waitForCursor(7))
        #expect(relay.status().shards[0].failure == nil)
        try expectAll(copies: false)
    }

    @Test func aTopicWithTooFewPartitionsIsRefused() throws {
        let relay = try relay()
        commit(1)
        try relay.start(feed: feed) { sampleDefinition(shards: 3) }
        #expect(eventually { relay.status().shards[0].failure?.reason == .invalidConfiguration })
        let failure = relay.status().shards[0].failure
        #expect(failure?.message.contains("has 2 partitions, the collection has 3 shards") == true)
        #expect(metrics.relayUnusableTopics.current == 1)
    }

    @Test func aTopicThatCannotBeMadeHoldsUpItsOwnShardsOnly() throws {
        let relay = try relay()
        let stuck = MemoryChangeFeed(shard: ShardID(collection: 9, shard: 0))
        // The test broker makes no topics: it has no controller.
        try relay.start(feed: stuck) { sampleDefinition(name: "missing") }
        try relay.start(feed: feed) { sampleDefinition() }
        stuck.commit([creation(1)])
        commit(10)
        #expect(feed.waitForCursor(10))
        #expect(eventually { metrics.relayUnusableTopics.current == 1 })
        #expect(eventually { relay.status().shards[1].failure?.reason == .brokerFailure })
        commit(10)
        #expect(feed.waitForCursor(20))
        #expect(relay.published(stuck.shard) == 0)
        try broker.createTopic("kith.changes.v1.missing", partitions: 1)
        #expect(stuck.waitForCursor(1))
        #expect(metrics.relayUnusableTopics.current == 0)
        #expect(relay.status().shards[1].failure == nil)
    }

    @Test func commitsThatAreGoneAreNotPassedOver() throws {
        commit(10)
        try feed.saveCursor("kafka", at: 2)
        feed.trim(to: 5)
        let relay = try relay()
        try relay.start(feed: feed) { sampleDefinition() }
        #expect(eventually { relay.status().shards[0].failure?.reason == .positionTrimmed })
        #expect(try feed.cursor("kafka") == 2)
    }
}
