import Foundation
import KithEvents
import TestSupport

/// One server with its writers, a topic, an endpoint and a consumer of its own, on the way through a schedule.
final class OutageRun {
    static let shards = 2
    private static let webhook = "all"
    /// Batches that writers are ahead of a schedule, at most: each costs all who listen, and the checks.
    private static let lead = 60

    let schedule: Schedule
    let collection: String
    let changesTopic: String
    let stateTopic: String
    let server: ServerProcess
    let endpoint: Endpoint
    let consumer: SinkConsumer
    private(set) var writers: [FaultWriter] = []
    private let broker: Broker
    private let folder: TemporaryFolder
    private let control: FaultControl
    private let progress = Progress()
    private var threads = Threads()
    private let isOver = Flag()

    init(_ schedule: Schedule, _ broker: Broker) throws {
        self.schedule = schedule
        self.broker = broker
        collection = "c\(schedule.seed)"
        folder = try TemporaryFolder()
        control = try FaultControl(folder("control"))
        endpoint = try Endpoint()
        let data = folder("data")
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        try broker.mend()
        changesTopic = "kith.changes.v1.\(collection)"
        stateTopic = "kith.state.v1.\(collection)"
        for topic in [changesTopic, stateTopic] { try broker.prepare(topic: topic, partitions: OutageRun.shards) }
        server = try ServerProcess(
            [
                "--kafka.brokers", broker.address, "--kafka.delivery", schedule.delivery.rawValue,
                "--kafka.property.reconnect.backoff.max.ms", "200", "--kafka.property.socket.timeout.ms", "3000",
                // Each schedule has a cluster of its own: another one's cursors and fences mean nothing to it.
                "--cluster", "faults-\(schedule.seed)", "--webhooks.first-retry-milliseconds", "10",
                "--webhooks.last-retry-milliseconds", "500", "--log-level", "warning",
            ],
            data: data,
            environment: control.environment(data: data))
        try FaultWriter.create(collection, shards: OutageRun.shards, on: server.connection)
        consumer = try SinkConsumer(schedule.sink, collection, brokers: broker.address)
        try createWebhook()
        startWriters()
    }

    var output: String { server.output }

    private func createWebhook() throws {
        var webhook: JSON = [
            "name": .text(OutageRun.webhook), "url": .text(endpoint.url), "timeoutMilliseconds": 3_000, "attempts": 100,
        ]
        if let batch = schedule.batch {
            webhook["mode"] = "MODE_BATCH"
            webhook["batchEvents"] = .number(Double(batch))
        }
        try server.connection.call(.createWebhook, ["webhook": webhook, "start": "START_EARLIEST"])
    }

    // MARK: Writers

    private func startWriters() {
        allow(0)
        let connection = server.connection
        for number in 0..<3 {
            let writer = makeWriter(number)
            let collection = collection
            let isOver = isOver
            threads.start { writer.run(connection, collection) { isOver.isRaised } }
        }
    }

    /// Lets writers come so many batches further, and ahead of them.
    private func allow(_ writes: Int) { progress.allow(upTo: progress.count + writes + OutageRun.lead) }

    /// Waits until writers have noticed that the server is gone.
    private func joinWriters() {
        progress.allow(upTo: .max)
        threads.join()
    }

    private func makeWriter(_ number: Int) -> FaultWriter {
        let writer = FaultWriter(
            number, name: "\(schedule.seed).\(writers.count)", seed: schedule.seed &+ UInt64(writers.count), progress: progress)
        writers.append(writer)
        return writer
    }

    // MARK: Faults

    /// Answers whether writes went on.
    func perform(_ step: Schedule.Step) throws -> Bool {
        let goal = progress.count + step.writes
        allow(step.writes)
        guard progress.wait(for: goal) else { return false }
        switch step.fault {
        case .work: break
        case .killServer: try restart()
        case .killServerTwice:
            server.kill()
            joinWriters()
            try server.restartAndKill(at: .disk, number: step.number, isTaken: step.isAfter)
            try restart()
        case .killServerAtDiskStep: return try killServer(at: .disk, step)
        case .killServerAtBrokerStep: return try killServer(at: .broker, step)
        case .cutNetwork:
            if broker.waitsForConsumers { try consumer.waitUntilJoined() }
            try broker.cut()
        case .silenceNetwork:
            if broker.waitsForConsumers { try consumer.waitUntilJoined() }
            try broker.silence()
        case .loseAnswers: broker.loseAnswers()
        case .mendNetwork: try broker.mend()
        case .killBroker: try broker.killAndRestart()
        case .fillDisk: return try fillDisk()
        case .cutEndpoint: endpoint.network.cut()
        case .silenceEndpoint: endpoint.network.silence()
        case .refuseAtEndpoint: endpoint.refuse((0..<step.number % 8 + 1).map { $0 % 2 == 0 ? 503 : 500 })
        case .mendEndpoint: endpoint.network.mend()
        case .killConsumer: try consumer.killAndRestart()
        case .killDatabase: try consumer.killDatabase()
        }
        return true
    }

    private func restart() throws {
        server.kill()
        joinWriters()
        try control.clear()
        try server.restart()
        startWriters()
    }

    /// One that takes no such step, because its brokers are away, is killed after some writes.
    private func killServer(at kind: FaultControl.Step, _ step: Schedule.Step) throws -> Bool {
        let goal = progress.count + 3 * step.number
        allow(3 * step.number)
        try control.kill(at: kind, number: step.number, isTaken: step.isAfter)
        guard wait(until: { progress.count >= goal || !writers.contains(where: \.isRunning) }) else { return false }
        try restart()
        return true
    }

    /// Until a write was refused, or the server is gone; then there is room again, and the server starts anew, as the operations page says.
    private func fillDisk() throws -> Bool {
        let refusals = refusals
        try control.fillDisk()
        progress.allow(upTo: .max)
        guard wait(until: { self.refusals > refusals || !writers.contains(where: \.isRunning) }) else { return false }
        try restart()
        return true
    }

    private var refusals: Int { writers.reduce(0) { $0 + $1.refusals } }

    /// Waits at most two minutes.
    private func wait(until isSo: () -> Bool) -> Bool {
        let deadline = Date(timeIntervalSinceNow: 120)
        while !isSo() {
            guard Date() < deadline else { return false }
            progress.waitForChange()
        }
        return true
    }

    // MARK: The end

    /// All is well again: writers stop, and all who listen get what they lack.
    func recover() throws {
        isOver.raise()
        joinWriters()
        try broker.mend()
        endpoint.network.mend()
        endpoint.refuse([])
        try settle()
    }

    /// Stops the server in an orderly way, and lets it and its listeners go on with one batch more.
    func stopAndGoOn() throws -> Continuation {
        let status = server.terminate()
        guard status == 0 else { throw ChildProcess.Failure(description: "kith serve ended with \(status)\n\(output)") }
        let offsets = try broker.ends(of: changesTopic, partitions: OutageRun.shards)
        let requests = endpoint.requests.count
        try server.restart()
        let writer = makeWriter(0)
        try writer.writeOnce(server.connection, collection)
        try settle()
        try consumer.finish()
        return Continuation(requestID: writer.batches[0].requestID, offsets: offsets, requests: requests)
    }

    /// Waits until Kafka and the endpoint have everything.
    private func settle() throws {
        let beat = try server.connection.open(
            .subscribe, ["collection": .text(collection), "start": "START_NOW", "heartbeatMilliseconds": 100],
            timeoutMilliseconds: 180_000)
        while true {
            let positions = try server.connection.call(.getPositions, ["collection": .text(collection)])
            let webhook = try server.connection.call(.getWebhook, ["name": .text(OutageRun.webhook)])
            if positions["published"] == positions["latest"], webhook["lagCommits"].integer == 0 { return beat.cancel() }
            guard try beat.read() != nil else {
                throw ChildProcess.Failure(description: "not told within three minutes: \(positions) \(webhook)\n\(output)")
            }
        }
    }

    func end() {
        isOver.raise()
        server.kill()
        consumer.end()
        joinWriters()
    }
}

/// What came after an orderly stop.
struct Continuation {
    /// Of the only batch.
    var requestID: String
    /// Where the topic's partitions ended before.
    var offsets: [Int64]
    /// How many requests the endpoint had got before.
    var requests: Int
}
