import Foundation
import Glibc
import KithCore
import KithEvents

/// The Kafka of the demo: one that is named, a real one of our own, or librdkafka's test broker.
final class DemoBroker: Sendable {
    let address: String
    /// For people.
    let name: String
    let topicPrefix: String
    private let process: ChildProcess?
    private let mock: MockBroker?

    /// - Parameters:
    ///   - folder: for the data of a broker of our own.
    ///   - collection: whose topic will be read.
    init(folder: String, collection: String, environment: [String: String]) throws(KithError) {
        if let brokers = environment["KITH_KAFKA_BROKERS"], !brokers.isEmpty {
            address = brokers
            name = "the brokers that KITH_KAFKA_BROKERS names"
            // Topics of earlier demos may be there still.
            topicPrefix = "kith-demo-\(getpid())"
            process = nil
            mock = nil
        } else if let home = environment["KAFKA_HOME"], !home.isEmpty {
            (process, address) = try DemoBroker.start(home, "\(folder)/kafka", environment)
            name = "a real broker, started from KAFKA_HOME"
            topicPrefix = KafkaConfiguration.defaultTopicPrefix
            mock = nil
        } else {
            let broker = try MockBroker()
            mock = broker
            address = broker.bootstrapServers
            name = "librdkafka's test broker, in this process (KAFKA_HOME or KITH_KAFKA_BROKERS give a real one)"
            topicPrefix = KafkaConfiguration.defaultTopicPrefix
            process = nil
            try broker.createTopics(prefix: topicPrefix, collection: collection, partitions: 1)
        }
    }

    func stop() {
        process?.signal(SIGKILL)
        process?.wait()
    }

    /// One node that is its own controller. Returns when it takes connections.
    private static func start(
        _ home: String, _ folder: String, _ variables: [String: String]
    ) throws(KithError) -> (ChildProcess, String) {
        let (port, controller) = (try freePort(), try freePort())
        let address = "127.0.0.1:\(port)"
        let settings = """
            process.roles=broker,controller
            node.id=1
            listeners=PLAINTEXT://\(address),CONTROLLER://127.0.0.1:\(controller)
            advertised.listeners=PLAINTEXT://\(address)
            controller.listener.names=CONTROLLER
            controller.quorum.voters=1@127.0.0.1:\(controller)
            log.dirs=\(folder)/logs
            offsets.topic.replication.factor=1
            transaction.state.log.replication.factor=1
            transaction.state.log.min.isr=1

            """
        do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
            throw Files.system("make", folder)
        }
        let file = "\(folder)/server.properties"
        try Files.replace(file, with: settings)
        var environment = variables
        environment["LOG_DIR"] = folder
        environment["KAFKA_HEAP_OPTS"] = "-Xms128m -Xmx384m"
        let identifier = Data((0..<16).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        let format = try ChildProcess(
            "\(home)/bin/kafka-storage.sh", ["format", "--cluster-id", identifier, "--config", file], environment: environment,
            output: "\(folder)/format.log")
        format.wait()
        let broker = try ChildProcess(
            "\(home)/bin/kafka-server-start.sh", [file], environment: environment, output: "\(folder)/broker.log")
        do throws(KithError) {
            try Waiting.until(seconds: 60, "Kafka is up") { () throws(KithError) in
                let log = String(decoding: try Files.read("\(folder)/broker.log"), as: UTF8.self)
                guard broker.isRunning else {
                    throw KithError(.internal, .brokerFailure, "Kafka ended: \(log.suffix(1_000))")
                }
                return log.contains("Kafka Server started")
            }
        } catch {
            broker.signal(SIGKILL)
            broker.wait()
            throw error
        }
        return (broker, address)
    }

    /// A port that was free a moment ago.
    private static func freePort() throws(KithError) -> UInt16 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard socket >= 0, isBound else { throw Files.system("find a free port on", "127.0.0.1") }
        return UInt16(bigEndian: address.sin_port)
    }
}
