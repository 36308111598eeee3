import KithCore
import KithEvents
import KithTelemetry
import Synchronization
import Testing

private final class Setting: Sendable {
    let isOn = Atomic(false)
}

/// A state topic that is turned on when there are points already.
@Suite(.serialized) struct StateSnapshotTests {
    private let broker: MockBroker
    private let feed = MemoryChangeFeed()
    private let metrics = Metrics()
    private let setting = Setting()
    private static let points: UInt64 = 3 * UInt64(Limits.statePagePoints) - 1

    init() throws {
        broker = try MockBroker(brokers: 2)
        for topic in ["kith.changes.v1.words", "kith.state.v1.words", "kith.relay.cursor.v1"] {
            try broker.createTopic(topic, partitions: 1)
        }
    }

    private func relay(_ delivery: DeliveryGuarantee) throws -> Relay {
        let quick = ["reconnect.backoff.ms": "10", "reconnect.backoff.max.ms": "50", "retry.backoff.ms": "10"]
        return try Relay(
            configuration: KafkaConfiguration(brokers: broker.bootstrapServers, delivery: delivery, properties: quick),
            cluster: "c", metrics: metrics,
            options: RelayOptions(
                firstRetry: .milliseconds(20), lastRetry: .milliseconds(100), cursorInterval: .milliseconds(5)))
    }

    private func start(_ relay: Relay) throws {
        try relay.start(feed: feed) { [setting] in
            var definition = sampleDefinition()
            definition.events.state = setting.isOn.load(ordering: .sequentiallyConsistent)
            return definition
        }
    }

    private func keep(_ value: Bool, _ relay: Relay) {
        setting.isOn.store(value, ordering: .sequentiallyConsistent)
        relay.look(at: feed.shard)
    }

    /// Writes points without a state topic, and waits until their changes are in Kafka.
    private func writePoints(_ relay: Relay) {
        for first in stride(from: 0, to: StateSnapshotTests.points, by: 100) {
            feed.commit((first..<min(first + 100, StateSnapshotTests.points)).map { creation($0) })
        }
        #expect(feed.waitForCursor(feed.lastPosition))
    }

    private func isDone(_ relay: Relay) -> Bool {
        if case .done = relay.status().shards[0].stateSnapshot { true } else { false }
    }

    private func update(_ number: UInt64, version: UInt64) {
        feed.commit([
            Change(
                operation: .update, id: .number(number), before: sampleImage(version: version - 1),
                after: sampleImage(version: version))
        ])
    }

    /// Versions in the state topic by key, in order, until `isEnough`.
    private func versions(until isEnough: ([String: [UInt64]]) -> Bool) throws -> [String: [UInt64]] {
        let consumer = try KafkaConsumer(configuration: KafkaConfiguration(brokers: broker.bootstrapServers))
        try consumer.assign(topic: "kith.state.v1.words", partitions: 0..<1)
        var versions: [String: [UInt64]] = [:]
        while !isEnough(versions) {
            let records = try consumer.poll(milliseconds: 10_000)
            if records.isEmpty { break }
            for record in records {
                let text = json(record.value ?? [], as: "kith.v1.PointImage") ?? ""
                let version = text.split(separator: #""version":""#).last?.prefix { $0 != "\"" }
                versions[String(decoding: record.key, as: UTF8.self), default: []].append(version.flatMap { UInt64($0) } ?? 0)
            }
        }
        return versions
    }

    @Test(arguments: DeliveryGuarantee.allCases)
    func pointsThatAreThereComeAndNoneIsOvertaken(delivery: DeliveryGuarantee) throws {
        let relay = try relay(delivery)
        try start(relay)
        writePoints(relay)
        #expect(relay.status().shards[0].stateSnapshot == .off)
        keep(true, relay)
        #expect(relay.status().shards[0].stateSnapshot != .off, "what is to come is told from the first moment on")
        // Beside the snapshot, before and behind where it is.
        for version in 2...100 { for number in [0, StateSnapshotTests.points - 1] { update(number, version: UInt64(version)) } }
        #expect(eventually { metrics.statePoints.current >= StateSnapshotTests.points - 2 })
        #expect(feed.waitForCursor(feed.lastPosition))
        let found = try versions { found in
            found.count == StateSnapshotTests.points && found.values.allSatisfy { !$0.isEmpty }
                && found["0"]?.last == 100 && found["\(StateSnapshotTests.points - 1)"]?.last == 100
        }
        #expect(found.count == StateSnapshotTests.points)
        #expect(found.values.allSatisfy { $0 == $0.sorted() }, "an older state came after a newer one")
        #expect(found["0"]?.last == 100 && found["\(StateSnapshotTests.points - 1)"]?.last == 100)
        #expect(eventually { isDone(relay) })
    }

    @Test(arguments: DeliveryGuarantee.allCases)
    func aSnapshotGoesOnWhereItEnded(delivery: DeliveryGuarantee) throws {
        let first = try relay(delivery)
        try start(first)
        writePoints(first)
        keep(true, first)
        #expect(eventually { metrics.statePoints.current > 0 })
        first.shutdown()
        let second = try relay(delivery)
        try start(second)
        #expect(eventually { metrics.statePoints.current >= StateSnapshotTests.points })
        let found = try versions { $0.count == StateSnapshotTests.points }
        let count = found.values.joined().count
        #expect(found.count == StateSnapshotTests.points)
        // At least once: what was on its way when the first one ended may come again.
        #expect(count <= Int(StateSnapshotTests.points) + (delivery == .exactlyOnce ? 0 : Limits.statePagePoints))
        #expect(eventually { isDone(second) })
    }

    @Test(arguments: DeliveryGuarantee.allCases)
    func aTopicThatIsKeptFromTheFirstCommitOnNeedsNone(delivery: DeliveryGuarantee) throws {
        let relay = try relay(delivery)
        setting.isOn.store(true, ordering: .sequentiallyConsistent)
        try start(relay)
        writePoints(relay)
        #expect(metrics.statePoints.current == 0 && relay.status().shards[0].stateSnapshot == .done(points: 0))
    }
}
