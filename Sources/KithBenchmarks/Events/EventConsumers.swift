import Foundation
import Glibc
import KithCore
import KithEvents

/// How fast `kith-consume` takes a topic that waits for it, by what it makes of the events.
enum EventConsumers {
    static func measure(
        _ run: Run, _ load: EventLoad, _ broker: EventBroker, _ deliveries: [DeliveryGuarantee]
    ) throws(KithError) {
        let folder = try TemporaryFolder()
        let server = try ServerProcess(run, folder: folder.path, broker, .atLeastOnce)
        _ = try load.write(to: server)
        while try !EventProgress(server).isComplete { usleep(2_000) }
        let prefix = server.topicPrefix
        server.stop()
        var table = ResultTable("events consumers", "kith-consume on a waiting topic of \(broker.name): \(load.title)")
        let database = try run.size == .tiny ? nil : EventDatabase()
        if database == nil { Console.note("events consumers: without PostgreSQL") }
        for round in 0..<load.rounds {
            var commands = [("etl jsonl", ["etl", "--sink", "jsonl"]), ("etl csv", ["etl", "--sink", "csv"])]
            if let database {
                let sink = ["--postgres", database.connection, "--postgres.table-prefix", "round\(round)_"]
                commands.append(("etl postgres", ["etl", "--sink", "postgres"] + sink))
            }
            commands += [("audit", ["audit", "follow"]), ("governance", ["governance", "follow", "--publish", "no"])]
            for (name, command) in commands {
                table.add(try row(name, command, prefix, broker, events: load.vectors.count))
            }
        }
        run.report.add(table)
    }

    private static func row(
        _ name: String, _ command: [String], _ prefix: String, _ broker: EventBroker, events: Int
    ) throws(KithError) -> ResultTable.Row {
        let folder = try TemporaryFolder()
        let consumer = try ConsumerProcess(
            command + [
                "--folder", "\(folder.path)/sink", "--kafka.brokers", broker.address, "--kafka.topic-prefix", prefix,
                "--group", UUID().uuidString, "--until-end", "--kafka.property.fetch.wait.max.ms", "20",
            ], folder: folder.path)
        let (seconds, processorSeconds) = try consumer.finish()
        guard consumer.records >= events else { throw .failed("\(name) took \(consumer.records) of \(events) events") }
        return [
            "consumer": .text(name), "events_per_second": .count(Int(Double(events) / seconds)),
            "seconds": .decimal(seconds, places: 2),
            "us_per_event": .decimal(processorSeconds / Double(events) * 1e6, places: 2),
            "cores": .decimal(processorSeconds / seconds, places: 2),
        ]
    }
}

/// A `kith-consume` that follows to the end of its topics.
private final class ConsumerProcess {
    private let process = Process()
    private let output: String
    private let metrics: String

    init(_ arguments: [String], folder: String) throws(KithError) {
        output = "\(folder)/output"
        metrics = "\(folder)/metrics"
        try Files.write(Data(), to: output)
        let beside = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
        guard let binary = beside?.appending(path: "kith-consume").path, access(binary, X_OK) == 0 else {
            throw .usage("there is no kith-consume beside kith-bench; build it")
        }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        process.arguments = ["--pdeathsig", "KILL", binary] + arguments + ["--metrics-file", metrics]
        process.standardError = FileHandle(forWritingAtPath: output)
        process.standardOutput = process.standardError
        do { try process.run() } catch { throw .failed("cannot start \(binary): \(error.localizedDescription)") }
        Leftovers.add(server: process.processIdentifier)
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        Leftovers.forget(server: process.processIdentifier)
    }

    private var text: String { FileManager.default.contents(atPath: output).map { String(decoding: $0, as: UTF8.self) } ?? "" }

    /// Seconds from when it was given its partitions until it had everything, and of the processor meanwhile.
    func finish() throws(KithError) -> (seconds: Double, processorSeconds: Double) {
        while process.isRunning, !text.contains("partitions assigned") { usleep(1_000) }
        let began = ContinuousClock.now
        let before = ProcessUsage.processorSeconds(of: process.processIdentifier)
        var used = before
        while process.isRunning {
            used = max(used, ProcessUsage.processorSeconds(of: process.processIdentifier))
            usleep(2_000)
        }
        guard process.terminationStatus == 0 else { throw .failed("kith-consume failed: \(text.suffix(500))") }
        return (max((ContinuousClock.now - began).seconds, 1e-6), used - before)
    }

    /// Records that it had, as its metrics tell.
    var records: Int {
        let lines = FileManager.default.contents(atPath: metrics).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let name = "kith_consumer_records_total "
        return lines.split(separator: "\n").first { $0.hasPrefix(name) }.flatMap { Int($0.dropFirst(name.count)) } ?? 0
    }
}
