import KithCore
import KithEvents
import KithTelemetry
import Synchronization
import Testing

@Suite(.serialized) struct RelayTests {
    private let broker: MockBroker
    private let metrics = Metrics()
    private let feeds = (0..<3).map { MemoryChangeFeed(shard: ShardID(collection: 7, shard: $0)) }

    init() throws {
        broker = try MockBroker(brokers: 2)
        try broker.createTopic("kith.changes.v1.words", partitions: 3)
        try broker.createTopic("kith.relay.cursor.v1", partitions: 1)
    }

    private func relay(
        _ delivery: DeliveryGuarantee = .atLeastOnce, cursorInterval: Duration = .milliseconds(5), publishesGaps: Bool = false
    ) throws -> Relay {
        // Brokers that went away are looked for again soon.
        let quick = ["reconnect.backoff.ms": "10", "reconnect.backoff.max.ms": "50", "retry.backoff.ms": "10"]
        return try Relay(
            configuration: KafkaConfiguration(
                brokers: broker.bootstrapServers, delivery: delivery, properties: quick),
            cluster: "c", metrics: metrics,
            options: RelayOptions(
                firstRetry: .milliseconds(20), lastRetry: .milliseconds(100), cursorInterval: cursorInterval,
                publishesGaps: publishesGaps))
    }

    private func startAll(_ relay: Relay) throws {
        for feed in feeds { try relay.start(feed: feed) { sampleDefinition(shards: 3) } }
    }

    /// Appends commits of one to three changes to every shard.
    private func commit(_ count: Int) {
        for number in 0..<count {
            for feed in feeds { feed.commit((0...UInt64(number % 3)).map { creation(UInt64(number) * 10 + $0) }) }
        }
    }

    /// The ids of all events, by shard.
    private func expectedIDs() throws -> [[String]] {
        try feeds.map { feed in
            var ids: [String] = []
            _ = try feed.forEachCommit(after: feed.firstPosition - 1) { (commit, _) throws(KithError) in
                ids += commit.changes.indices.map { "c/\(feed.shard)/\(commit.position)/\($0)" }
                return true
            }
            return ids
        }
    }

    private func consumer() throws -> KafkaConsumer {
        let consumer = try KafkaConsumer(configuration: KafkaConfiguration(brokers: broker.bootstrapServers))
        try consumer.assign(topic: "kith.changes.v1.words", partitions: 0..<3)
        return consumer
    }

    private func waitForAll() { for feed in feeds { #expect(feed.waitForCursor(feed.lastPosition)) } }

    /// A process that ends next must not find a thread that still closes a database.
    @Test(arguments: DeliveryGuarantee.allCases)
    func nothingIsHeldAfterShutdown(delivery: DeliveryGuarantee) throws {
        for _ in 0..<20 {
            weak var held: MemoryChangeFeed?
            try {
                let feed = MemoryChangeFeed(shard: ShardID(collection: 7, shard: 0))
                held = feed
                let relay = try relay(delivery)
                try relay.start(feed: feed) { sampleDefinition(shards: 3) }
                relay.shutdown()
            }()
            #expect(held == nil)
        }
    }

    @Test(arguments: DeliveryGuarantee.allCases)
    func everyCommitOfEveryShardComesInOrder(delivery: DeliveryGuarantee) throws {
        commit(500)
        let relay = try relay(delivery)
        try startAll(relay)
        commit(500)
        waitForAll()
        let expected = try expectedIDs()
        #expect(try consumer().readIDs(until: expected) == expected)
        #expect(relay.published(feeds[1].shard) == 1_000)
        #expect(relay.published(ShardID(collection: 9, shard: 0)) == nil)
        #expect(metrics.publishedEvents.current == UInt64(expected.joined().count))
        relay.shutdown()
        let status = relay.status()
        #expect(status.shards.map(\.shard) == feeds.map(\.shard))
        #expect(status.shards.allSatisfy { $0.lag == 0 && $0.failure == nil && $0.topic == "kith.changes.v1.words" })
        #expect(metrics.relayLag.current == 0)
    }

    @Test(arguments: DeliveryGuarantee.allCases)
    func aRecordIsTheEvent(delivery: DeliveryGuarantee) throws {
        let relay = try relay(delivery)
        try startAll(relay)
        feeds[2].commit([creation(42)])
        #expect(feeds[2].waitForCursor(1))
        let record = try #require(try consumer().read(1).first)
        #expect(record.partition == 2 && record.key == Array("42".utf8))
        #expect(record.header("ce_id") == "c/7.2/1/0" && record.header("content-type") == "application/protobuf")
        #expect(json(record.value ?? [])?.contains(#""id":{"number":"42"}"#) == true)
    }

    @Test(arguments: DeliveryGuarantee.allCases)
    func aNewRelayGoesOnAfterTheCursor(delivery: DeliveryGuarantee) throws {
        commit(300)
        let first = try relay(delivery)
        try startAll(first)
        waitForAll()
        first.shutdown()
        commit(300)
        let second = try relay(delivery)
        try startAll(second)
        waitForAll()
        let expected = try expectedIDs()
        #expect(try consumer().readIDs(until: expected) == expected)
    }

    @Test func afterACrashCopiesCarryTheSameIDs() throws {
        commit(200)
        let first = try relay()
        try startAll(first)
        waitForAll()
        first.shutdown()
        // As if the cursor had not been saved before the crash.
        for feed in feeds { try feed.saveCursor("kafka", at: 150) }
        let second = try relay()
        try startAll(second)
        waitForAll()
        second.shutdown()
        let expected = try expectedIDs()
        let copies = expected.map { $0.filter { Int($0.split(separator: "/")[2]) ?? 0 > 150 } }
        let records = try consumer().read((expected + copies).joined().count)
        for shard in 0..<3 {
            let ids = records.filter { $0.partition == shard }.map { $0.header("ce_id") ?? "?" }
            #expect(ids == expected[shard] + copies[shard])
        }
    }

    @Test func exactlyOnceACursorThatIsLostIsFoundInKafka() throws {
        commit(200)
        let first = try relay(.exactlyOnce)
        try startAll(first)
        waitForAll()
        first.shutdown()
        for feed in feeds { try feed.saveCursor("kafka", at: 0) }
        commit(1)
        let second = try relay(.exactlyOnce)
        try startAll(second)
        waitForAll()
        let expected = try expectedIDs()
        #expect(try consumer().readIDs(until: expected) == expected)
    }

    @Test(arguments: DeliveryGuarantee.allCases)
    func commitsThatAreGoneAreNamed(delivery: DeliveryGuarantee) throws {
        commit(10)
        for feed in feeds { try feed.saveCursor("kafka", at: 2) }
        feeds[1].trim(to: 6)
        let relay = try relay(delivery, publishesGaps: true)
        try startAll(relay)
        waitForAll()
        var expected = (try expectedIDs()).map { $0.filter { Int($0.split(separator: "/")[2]) ?? 0 > 2 } }
        expected[1] = ["c/7.1/6/gap"] + expected[1].filter { Int($0.split(separator: "/")[2]) ?? 0 > 6 }
        #expect(try consumer().readIDs(until: expected) == expected)
        #expect(metrics.lostCommits.current == 4)
        let second = try consumer()
        try second.assign(topic: "kith.changes.v1.words", partitions: 1..<2)
        let record = try #require(try second.read(1).first)
        #expect(record.header("ce_type") == "io.kith.changes.gap.v1" && record.key == Array("shards/1".utf8))
        let text = try #require(json(record.value ?? [], as: "kith.v1.GapEvent"))
        #expect(text.contains(#""firstPosition":"3""#) && text.contains(#""lastPosition":"6""#))
    }

    @Test func whatWaitsIsCounted() throws {
        commit(30)
        try broker.setBroker(1, isUp: false)
        try broker.setBroker(2, isUp: false)
        let relay = try relay()
        try startAll(relay)
        // The meter's first look may come before the shards do.
        relay.shutdown()
        let status = relay.status()
        let expected = try expectedIDs()
        #expect(status.shards.count == 3)
        #expect(metrics.relayLag.current == 0, "a shard that has stopped has nothing to wait for")
        for (feed, ids) in zip(feeds, expected) {
            let waiting = try WaitingCommits(in: feed, after: 10, limit: .max)
            #expect(waiting.commits == 20 && waiting.events == UInt64(ids.count - 19) && !waiting.isEstimate)
            #expect(waiting.oldest == 1_700_000_000_000_000 && waiting.age(at: 1_700_000_002_000_000) == .seconds(2))
            let reckoned = try WaitingCommits(in: feed, after: 0, limit: 1)
            #expect(reckoned.commits == 30 && reckoned.isEstimate && reckoned.events == 30)
        }
    }

    @Test(arguments: DeliveryGuarantee.allCases)
    func aShardCanStopAndGoOn(delivery: DeliveryGuarantee) throws {
        commit(100)
        let relay = try relay(delivery)
        try startAll(relay)
        waitForAll()
        relay.stop(feeds[0].shard)
        #expect(relay.published(feeds[0].shard) == nil)
        commit(100)
        #expect(feeds[1].waitForCursor(200))
        #expect(try feeds[0].cursor("kafka") == 100)
        try relay.start(feed: feeds[0]) { sampleDefinition(shards: 3) }
        waitForAll()
        let expected = try expectedIDs()
        #expect(try consumer().readIDs(until: expected) == expected)
    }

    @Test(arguments: [Duration.zero, .milliseconds(5)], DeliveryGuarantee.allCases)
    func aCommitWithoutChangesIsPassedOver(cursorInterval: Duration, delivery: DeliveryGuarantee) throws {
        let relay = try relay(delivery, cursorInterval: cursorInterval)
        try startAll(relay)
        for feed in feeds {
            feed.commit([])
            feed.commit([creation(1)])
            feed.commit([])
        }
        waitForAll()
        let expected = try expectedIDs()
        #expect(try consumer().readIDs(until: expected) == expected)
    }
}
