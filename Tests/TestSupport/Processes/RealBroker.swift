import Foundation
import Glibc

/// One Apache Kafka broker (KRaft) from KAFKA_HOME, on loopback, with a folder of its own.
public final class RealBroker: @unchecked Sendable {
    public static let absence = "no Kafka: KAFKA_HOME names the folder of one"

    private let home: String
    private let folder: TemporaryFolder
    private let configuration: String
    private let heap = ["KAFKA_HEAP_OPTS": "-Xms128m -Xmx384m"]
    // Tests restart a broker from one thread.
    private var process: ChildProcess
    /// host:port.
    public let address: String

    /// Returns when the broker answers.
    ///
    /// - Parameter proxy: what clients are to go through; it is told where the broker is.
    public init(behind proxy: NetworkProxy? = nil) throws {
        guard let home = TestEnvironment.kafka else { throw ChildProcess.Failure(description: RealBroker.absence) }
        self.home = home
        folder = try TemporaryFolder()
        configuration = folder("server.properties")
        let ports = try RealBroker.freePorts(2)
        let own = "127.0.0.1:\(ports[0])"
        address = proxy.map { "127.0.0.1:\($0.port)" } ?? own
        proxy?.target = ports[0]
        let settings = """
            process.roles=broker,controller
            node.id=1
            listeners=PLAINTEXT://\(own),CONTROLLER://127.0.0.1:\(ports[1])
            advertised.listeners=PLAINTEXT://\(address)
            controller.listener.names=CONTROLLER
            controller.quorum.voters=1@127.0.0.1:\(ports[1])
            inter.broker.listener.name=PLAINTEXT
            log.dirs=\(folder("logs"))
            offsets.topic.replication.factor=1
            transaction.state.log.replication.factor=1
            transaction.state.log.min.isr=1
            group.initial.rebalance.delay.ms=0
            broker.heartbeat.interval.ms=500
            broker.session.timeout.ms=1500
            """
        try settings.write(toFile: configuration, atomically: true, encoding: .utf8)
        // Any 16 bytes in URL-safe base64.
        let format = try ChildProcess(
            "\(home)/bin/kafka-storage.sh", ["format", "--cluster-id", "a2l0aC10ZXN0LWJyb2tlcg", "--config", configuration],
            environment: heap)
        guard format.wait() == 0 else { throw ChildProcess.Failure(description: "kafka-storage: \(format.output)") }
        process = try RealBroker.launch(home, configuration, heap)
    }

    deinit { process.kill() }

    private static func launch(_ home: String, _ configuration: String, _ heap: [String: String]) throws -> ChildProcess {
        let process = try ChildProcess("\(home)/bin/kafka-server-start.sh", [configuration], environment: heap)
        try process.waitForOutput("Kafka Server started")
        return process
    }

    /// Ports that nobody listens on now.
    private static func freePorts(_ count: Int) throws -> [UInt16] {
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        return try (0..<count).map { _ in
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            sockets.append(descriptor)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let bound = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
                }
            }
            guard bound else { throw ChildProcess.Failure(description: "no free port: errno \(errno)") }
            return UInt16(bigEndian: address.sin_port)
        }
    }

    /// SIGKILL; returns when it is gone.
    public func kill() { process.kill() }

    /// An orderly stop, as of an upgrade; returns when it is gone.
    public func stop() {
        process.signal(SIGTERM)
        process.wait()
    }

    /// Starts again on the same logs and port; returns when it answers.
    public func restart() throws {
        process.kill()
        process = try RealBroker.launch(home, configuration, heap)
    }

    /// Runs one of Kafka's own tools, such as `kafka-topics.sh`, against this broker, and answers what it printed.
    ///
    /// - Parameter input: lines that it is given.
    @discardableResult
    public func run(_ tool: String, _ arguments: [String], input: [String] = []) throws -> String {
        let file = folder("input-of-\(tool)")
        try input.map { $0 + "\n" }.joined().write(toFile: file, atomically: true, encoding: .utf8)
        let words = ["\(home)/bin/\(tool)", "--bootstrap-server", address] + arguments
        let process = try ChildProcess("/bin/sh", ["-c", #""$@" < "$0""#, file] + words, environment: heap)
        guard process.wait() == 0 else { throw ChildProcess.Failure(description: "\(tool): \(process.output)") }
        return process.output
    }

    /// Makes a topic of one partition, where it is missing, and puts a record a text into it, by Kafka's own producer.
    public func produce(_ values: [String], to topic: String) throws {
        try run("kafka-topics.sh", ["--create", "--if-not-exists", "--topic", topic, "--partitions", "1"])
        try run("kafka-console-producer.sh", ["--topic", topic], input: values)
    }

    /// A record as Kafka's own console consumer prints it.
    public struct Record: Sendable {
        public var partition: Int
        public var offset: Int
        public var headers: [String: String]
        public var key: String
        public var value: String
    }

    /// All records of a topic, as many as there are expected at least; fewer after `seconds` without one. With `committed` those of
    /// transactions that were aborted or are open are left out.
    public func records(of topic: String, atLeast count: Int, seconds: Int = 20, committed: Bool = false) throws -> [Record] {
        let consumer = try ChildProcess(
            "\(home)/bin/kafka-console-consumer.sh",
            [
                "--bootstrap-server", address, "--topic", topic, "--from-beginning", "--max-messages", "\(count)",
                "--timeout-ms", "\(seconds * 1_000)", "--property", "print.partition=true", "--property",
                "print.offset=true", "--property", "print.headers=true", "--property", "print.key=true",
                "--isolation-level", committed ? "read_committed" : "read_uncommitted",
            ], environment: heap)
        consumer.wait()
        guard consumer.output.contains("Processed a total of") else {
            throw ChildProcess.Failure(description: "kafka-console-consumer: \(consumer.output)")
        }
        return consumer.output.split(separator: "\n").compactMap { Record(line: String($0)) }
    }
}

extension RealBroker.Record {
    /// `Partition:0<tab>Offset:0<tab>name:value,name:value<tab>key<tab>value`; nil for a line of the log.
    init?(line: String) {
        let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, parts[0].hasPrefix("Partition:"), parts[1].hasPrefix("Offset:"),
            let partition = Int(parts[0].dropFirst(10)), let offset = Int(parts[1].dropFirst(7))
        else { return nil }
        self.partition = partition
        self.offset = offset
        headers = Dictionary(
            parts[2].split(separator: ",").compactMap { pair in
                pair.firstIndex(of: ":").map { (String(pair[..<$0]), String(pair[pair.index(after: $0)...])) }
            }, uniquingKeysWith: { first, _ in first })
        key = parts[3]
        value = parts[4]
    }
}
