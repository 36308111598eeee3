import Foundation
import Glibc
import KithCore
import KithEvents

/// The broker that events are sent to: one that runs already, a real one of our own, or the test broker of librdkafka.
final class EventBroker {
    static let absence = "events: skipped, there is no Kafka (KAFKA_HOME names the folder of one, --brokers one that runs)"
    static let options = [("brokers HOST:PORT", "a broker that runs already; else one of KAFKA_HOME is started")]

    let address: String
    /// What figures are named after.
    let name: String
    private let mock: MockBroker?
    private let process: Process?
    private let folder: TemporaryFolder?

    /// Nil where there is none. Tiny runs have the test broker, whose figures mean nothing.
    static func find(_ run: Run) throws(KithError) -> EventBroker? {
        if let address = run.options.value("brokers") { return EventBroker(address, "the brokers at \(address)") }
        if run.size == .tiny { return try EventBroker(mock: try MockBroker()) }
        guard let home = ProcessInfo.processInfo.environment["KAFKA_HOME"], !home.isEmpty else { return nil }
        return try EventBroker(home: home)
    }

    private init(_ address: String, _ name: String) {
        (self.address, self.name) = (address, name)
        (mock, process, folder) = (nil, nil, nil)
    }

    private init(mock: MockBroker) throws(KithError) {
        self.mock = mock
        (address, name) = (mock.bootstrapServers, "librdkafka's test broker")
        (process, folder) = (nil, nil)
    }

    deinit {
        guard let process else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        Leftovers.forget(server: process.processIdentifier)
    }

    /// Seconds of processor time that it has had so far; 0 where it is no process of ours.
    var processorSeconds: Double { process.map { ProcessUsage.processorSeconds(of: $0.processIdentifier) } ?? 0 }

    /// Makes the topics of one server: the test broker cannot be asked to.
    func makeTopics(prefix: String) throws(KithError) {
        try mock?.createTopics(prefix: prefix, collection: ServedCollection.name, partitions: 1)
    }

    // MARK: A real one

    /// Starts a broker (KRaft, one node) with a folder of its own; returns when it answers.
    private init(home: String) throws(KithError) {
        let folder = try TemporaryFolder()
        let ports = try EventBroker.freePorts()
        let settings = """
            process.roles=broker,controller
            node.id=1
            listeners=PLAINTEXT://127.0.0.1:\(ports.0),CONTROLLER://127.0.0.1:\(ports.1)
            advertised.listeners=PLAINTEXT://127.0.0.1:\(ports.0)
            controller.listener.names=CONTROLLER
            controller.quorum.voters=1@127.0.0.1:\(ports.1)
            inter.broker.listener.name=PLAINTEXT
            log.dirs=\(folder.path)/logs
            offsets.topic.replication.factor=1
            transaction.state.log.replication.factor=1
            transaction.state.log.min.isr=1
            group.initial.rebalance.delay.ms=0
            """
        let configuration = "\(folder.path)/server.properties"
        let output = "\(folder.path)/output"
        try Files.write(Data(settings.utf8), to: configuration)
        try Files.write(Data(), to: output)
        // Any 16 bytes in URL-safe base64.
        let format = try EventBroker.launch(
            "\(home)/bin/kafka-storage.sh",
            ["format", "--cluster-id", "a2l0aC1iZW5jaGJyb2tlcg", "--config", configuration], output)
        format.waitUntilExit()
        guard format.terminationStatus == 0 else { throw .failed("kafka-storage.sh failed: \(EventBroker.tail(output))") }
        // The kernel ends it with us, however we end.
        let process = try EventBroker.launch(
            "/usr/bin/setpriv", ["--pdeathsig", "KILL", "\(home)/bin/kafka-server-start.sh", configuration], output)
        Leftovers.add(server: process.processIdentifier)
        while !EventBroker.text(output).contains("Kafka Server started") {
            guard process.isRunning else { throw .failed("the broker ended: \(EventBroker.tail(output))") }
            usleep(50_000)
        }
        (self.process, self.folder, mock) = (process, folder, nil)
        address = "127.0.0.1:\(ports.0)"
        name = "Apache Kafka \(EventBroker.version(home)) on this machine"
    }

    private static func launch(_ binary: String, _ arguments: [String], _ output: String) throws(KithError) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: binary)
        process.arguments = arguments
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = process.standardOutput
        do { try process.run() } catch { throw .failed("cannot start \(binary): \(error.localizedDescription)") }
        return process
    }

    private static func text(_ file: String) -> String {
        (FileManager.default.contents(atPath: file)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private static func tail(_ file: String) -> String { String(text(file).suffix(500)) }

    /// Such as 4.1.0, from the name of its library.
    private static func version(_ home: String) -> String {
        let name = (try? FileManager.default.contentsOfDirectory(atPath: "\(home)/libs"))?
            .first { $0.hasPrefix("kafka-clients-") }
        return name.map { String($0.dropFirst("kafka-clients-".count).dropLast(".jar".count)) } ?? "of unknown version"
    }

    /// Two ports that nobody listens on now.
    private static func freePorts() throws(KithError) -> (UInt16, UInt16) {
        let sockets = [0, 1].map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        defer { sockets.forEach { close($0) } }
        var ports: [UInt16] = []
        for descriptor in sockets {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isBound = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
                }
            }
            guard isBound else { throw .failed("no free port: errno \(errno)") }
            ports.append(UInt16(bigEndian: address.sin_port))
        }
        return (ports[0], ports[1])
    }
}
