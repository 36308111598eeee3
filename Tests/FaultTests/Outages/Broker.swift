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

    init() throws {
        if TestEnvironment.kafka != nil {
            let proxy = try NetworkProxy()
            let broker = try RealBroker(behind: proxy)
            kind = .real(broker, proxy)
            address = broker.address
        } else {
            let broker = try MockBroker()
            // Whatever a server cannot have made there, it would ask for again and again.
            try broker.createTopic("kith.catalog.v1", partitions: 1)
            kind = .test(broker)
            address = broker.bootstrapServers
        }
    }

    /// Real brokers make topics when Kith asks; the test broker would give them any number of partitions.
    func prepare(topic: String, partitions: Int) throws {
        if case .test(let broker) = kind { try broker.createTopic(topic, partitions: partitions) }
    }

    func cut() throws {
        switch kind {
        case .real(_, let proxy): proxy.cut()
        case .test(let broker): try broker.setBroker(1, isUp: false)
        }
    }

    /// Answers nothing; the test broker goes away instead.
    func silence() throws {
        switch kind {
        case .real(_, let proxy): proxy.silence()
        case .test(let broker): try broker.setBroker(1, isUp: false)
        }
    }

    func mend() throws {
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
}
