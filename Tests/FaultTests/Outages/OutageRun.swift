import Foundation
import KithEvents
import TestSupport

/// One server with its writers and a topic of its own, on the way through a schedule.
final class OutageRun {
    let collection: String
    let server: ServerProcess
    private(set) var writers: [FaultWriter] = []
    private let seed: UInt64
    private let broker: Broker
    private let shards: Int
    private let folder: TemporaryFolder
    private let progress = Progress()
    private var threads = Threads()
    private let isOver = Flag()

    init(seed: UInt64, broker: Broker, shards: Int) throws {
        self.seed = seed
        self.broker = broker
        self.shards = shards
        collection = "c\(seed)"
        folder = try TemporaryFolder()
        let data = folder("data")
        try Data([0]).write(to: URL(filePath: folder("full")))
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        try broker.mend()
        try broker.prepare(topic: "kith.changes.v1.\(collection)", partitions: shards)
        server = try ServerProcess(
            [
                "--kafka.brokers", broker.address, "--kafka.property.reconnect.backoff.max.ms", "200",
                "--kafka.property.socket.timeout.ms", "3000", "--log-level", "warning",
            ],
            data: data,
            environment: [
                "LD_PRELOAD": Campaign.faultyDisk, "KITH_FAULT_ROOT": data, "KITH_FAULT_CONTROL": folder("full"),
            ])
        try FaultWriter.create(collection, shards: shards, on: server.connection)
        startWriters()
    }

    var output: String { server.output }

    // MARK: Writers

    private func startWriters() {
        let connection = server.connection
        for number in 0..<3 {
            let writer = FaultWriter(
                number, name: "\(seed).\(writers.count)", seed: seed &+ UInt64(writers.count), progress: progress)
            writers.append(writer)
            let collection = collection
            let isOver = isOver
            threads.start { writer.run(connection, collection) { isOver.isRaised } }
        }
    }

    // MARK: Faults

    /// Answers whether writes went on.
    func perform(_ step: Schedule.Step) throws -> Bool {
        guard progress.wait(for: progress.count + step.writes) else { return false }
        switch step.fault {
        case .work: break
        case .killServer: try restart()
        case .killServerTwice:
            server.kill()
            threads.join()
            try server.restartAndKill(afterMicroseconds: step.delay)
            try restart()
        case .cutNetwork: try broker.cut()
        case .silenceNetwork: try broker.silence()
        case .mendNetwork: try broker.mend()
        case .killBroker: try broker.killAndRestart()
        case .fillDisk: return try fillDisk()
        }
        return true
    }

    private func restart() throws {
        server.kill()
        threads.join()
        try server.restart()
        startWriters()
    }

    /// Until a write was refused, or the server is gone; then there is room again, and the server starts anew, as the operations page says.
    private func fillDisk() throws -> Bool {
        let refusals = writers.reduce(0) { $0 + $1.refusals }
        try setDisk(full: true)
        let deadline = Date(timeIntervalSinceNow: 120)
        while writers.reduce(0, { $0 + $1.refusals }) == refusals, writers.contains(where: \.isRunning) {
            guard Date() < deadline else { return false }
            progress.waitForChange()
        }
        try setDisk(full: false)
        try restart()
        return true
    }

    private func setDisk(full: Bool) throws {
        let file = try FileHandle(forWritingTo: URL(filePath: folder("full")))
        try file.write(contentsOf: Data([full ? 1 : 0]))
        try file.close()
    }

    // MARK: The end

    /// All is well again: writers stop, and Kafka gets what it lacks.
    func recover() throws {
        isOver.raise()
        threads.join()
        try broker.mend()
        let beat = try server.connection.open(
            .subscribe, ["collection": .text(collection), "start": "START_NOW", "heartbeatMilliseconds": 100],
            timeoutMilliseconds: 180_000)
        while true {
            let positions = try server.connection.call(.getPositions, ["collection": .text(collection)])
            if positions["published"] == positions["latest"] { return beat.cancel() }
            guard try beat.read() != nil else {
                throw NotPublished(description: "not published within three minutes: \(positions)\n\(server.output)")
            }
        }
    }

    /// The topic, until each event of the log was there, or nothing more came for ten seconds.
    func topic(expecting log: [[LogEvent]]) throws -> [KafkaRecord] {
        let consumer = try KafkaConsumer(configuration: KafkaConfiguration(brokers: broker.address))
        try consumer.assign(topic: "kith.changes.v1.\(collection)", partitions: 0..<shards)
        var missing = Set(log.joined().map(\.id))
        var records: [KafkaRecord] = []
        while !missing.isEmpty {
            let more = try consumer.poll(milliseconds: 10_000)
            if more.isEmpty { break }
            for record in more { missing.remove(record.header("ce_id") ?? "?") }
            records += more
        }
        return records
    }

    struct NotPublished: Error, CustomStringConvertible {
        let description: String
    }

    func end() {
        isOver.raise()
        server.kill()
        threads.join()
    }
}
