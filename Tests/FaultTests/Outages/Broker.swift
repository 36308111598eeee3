import KithEvents
import TestSupport

/// Kafka as a schedule may mistreat it: a real broker behind a proxy where KAFKA_HOME names one, librdkafka's own test broker elsewhere.
final class Broker: @unchecked Sendable {
    private enum Kind {
        case real(RealBroker, NetworkProxy)
        case test(MockBroker)
    }

    private let kind: Kind
    let address: String
    /// Nobody reaches it, until it is mended.
    private var isAway = false

    init() throws {
        if TestEnvironment.kafka != nil {
            let proxy = try NetworkProxy()
            let broker = try RealBroker(behind: proxy)
            kind = .real(broker, proxy)
            address = broker.address
        } else {
            print("\(RealBroker.absence): outages of librdkafka's test broker, at least once only")
            let broker = try MockBroker()
            // Whatever a server cannot have made there, it would ask for again and again.
            for topic in ["kith.catalog.v1", "kith.tx.v1"] { try broker.createTopic(topic, partitions: 1) }
            kind = .test(broker)
            address = broker.bootstrapServers
        }
    }

    /// Real brokers make topics when Kith asks; the test broker would give them any number of partitions.
    func prepare(topic: String, partitions: Int) throws {
        if case .test(let broker) = kind { try broker.createTopic(topic, partitions: partitions) }
    }

    /// Whether consumers must have joined their groups before it is taken away: librdkafka's test broker keeps what it owes to one that
    /// was joining, and aborts the process when that one asks again.
    var waitsForConsumers: Bool {
        if case .test = kind { !isAway } else { false }
    }

    func cut() throws {
        isAway = true
        switch kind {
        case .real(_, let proxy): proxy.cut()
        case .test(let broker): try broker.setBroker(1, isUp: false)
        }
    }

    /// Answers nothing; the test broker goes away instead.
    func silence() throws {
        isAway = true
        switch kind {
        case .real(_, let proxy): proxy.silence()
        case .test(let broker): try broker.setBroker(1, isUp: false)
        }
    }

    /// Does what it is asked and its answers are lost; the test broker answers with errors instead.
    func loseAnswers() {
        switch kind {
        case .real(_, let proxy): proxy.loseAnswers()
        case .test(let broker): broker.fail(.produce, [.timeout, .notLeader, .notEnoughReplicas, .transport])
        }
    }

    func mend() throws {
        isAway = false
        switch kind {
        case .real(_, let proxy): proxy.mend()
        case .test(let broker): try broker.setBroker(1, isUp: true)
        }
    }

    /// SIGKILL, and a new process on the same logs.
    func killAndRestart() throws {
        guard case .real(let broker, _) = kind else { return }
        broker.kill()
        try broker.restart()
    }

    /// The offsets that the next messages will get.
    func ends(of topic: String, partitions: Int) throws -> [Int64] {
        let consumer = try KafkaConsumer(configuration: KafkaConfiguration(brokers: address))
        return try (0..<partitions).map { try consumer.offsets(of: topic, partition: $0).upperBound }
    }

    /// All records of a topic for who reads committed ones, up to its end as it is now.
    func records(of topic: String, partitions: Int, _ delivery: DeliveryGuarantee) throws -> [KafkaRecord] {
        let consumer = try KafkaConsumer(configuration: KafkaConfiguration(brokers: address))
        // A transaction's end takes an offset, and is no record.
        let marker: Int64 = delivery == .exactlyOnce ? 1 : 0
        var missing: [Int: Int64] = [:]
        for partition in 0..<partitions {
            let offsets = try consumer.offsets(of: topic, partition: partition)
            if offsets.count > marker { missing[partition] = offsets.upperBound - 1 - marker }
        }
        try consumer.assign(topic: topic, partitions: 0..<partitions)
        var records: [KafkaRecord] = []
        while !missing.isEmpty {
            let more = try consumer.poll(milliseconds: 10_000)
            if more.isEmpty { break }
            for record in more { if record.offset >= missing[record.partition] ?? .max { missing[record.partition] = nil } }
            records += more
        }
        return records
    }
}
