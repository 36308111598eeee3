import KithEvents
import TestSupport

/// A broker that is there as long as this value: librdkafka's test broker, or an Apache Kafka where KAFKA_HOME names one.
enum TestBroker {
    case test(MockBroker)
    case real(RealBroker)

    /// The arguments of a test that is to run against all there are.
    static let kinds: [Bool] = {
        guard TestEnvironment.kafka == nil else { return [false, true] }
        print("\(RealBroker.absence): librdkafka's test broker only")
        return [false]
    }()

    /// - Parameter collections: shards of each that will be made: the test broker has no administration.
    init(isReal: Bool, collections: [String: Int] = [:]) throws {
        guard !isReal else {
            self = .real(try RealBroker())
            return
        }
        let broker = try MockBroker()
        for (name, shards) in collections {
            for topic in ["changes", "state"] { try broker.createTopic("kith.\(topic).v1.\(name)", partitions: shards) }
        }
        for topic in ["tx", "catalog", "audit", "governance", "lineage", "violations", "relay.cursor"] {
            try broker.createTopic("kith.\(topic).v1", partitions: 1)
        }
        self = .test(broker)
    }

    var address: String {
        switch self {
        case .test(let broker): broker.bootstrapServers
        case .real(let broker): broker.address
        }
    }

    /// Nobody reaches it until `comeBack`.
    func goAway() throws {
        switch self {
        case .test(let broker): try broker.setBroker(1, isUp: false)
        case .real(let broker): broker.kill()
        }
    }

    func comeBack() throws {
        switch self {
        case .test(let broker): try broker.setBroker(1, isUp: true)
        case .real(let broker): try broker.restart()
        }
    }

    /// All records of a topic, up to its end as it is now.
    func records(of topic: String, partitions: Int = 1) throws -> [KafkaRecord] {
        let consumer = try KafkaConsumer(
            configuration: KafkaConfiguration(brokers: address, properties: ["fetch.wait.max.ms": "20"]))
        var missing: [Int: Int64] = [:]
        for partition in 0..<partitions {
            let offsets = try consumer.offsets(of: topic, partition: partition)
            if !offsets.isEmpty { missing[partition] = offsets.upperBound - 1 }
        }
        try consumer.assign(topic: topic, partitions: 0..<partitions)
        var records: [KafkaRecord] = []
        while !missing.isEmpty {
            let more = try consumer.poll(milliseconds: 10_000)
            if more.isEmpty { break }
            for record in more where record.offset >= missing[record.partition] ?? .max { missing[record.partition] = nil }
            records += more
        }
        return records
    }
}

extension ServerProcess {
    /// Waits until Kafka has acknowledged every commit, those of the node's own log too. The change stream's heartbeats give the pace.
    func waitUntilPublished(_ collection: String) throws {
        let beat = try connection.open(
            .subscribe, ["collection": .text(collection), "start": "START_NOW", "heartbeatMilliseconds": 100])
        while true {
            let shards = try connection.call(.getEventStatus, [:])["shards"].list
            if shards.allSatisfy({ $0["publishedPosition"] == $0["lastPosition"] }) { return beat.cancel() }
            guard try beat.read() != nil else {
                throw ChildProcess.Failure(description: "not published within a minute: \(shards)")
            }
        }
    }
}
