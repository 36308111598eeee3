import Foundation
import TestSupport

/// `kith-consume`, as it was built beside these tests.
enum Consuming {
    static let binary =
        URL(filePath: TestEnvironment.binary).deletingLastPathComponent().appending(path: "kith-consume").path

    /// Runs a command that does not follow.
    static func run(_ arguments: [String]) throws -> ChildProcess {
        let process = try ChildProcess(binary, arguments)
        process.wait()
        return process
    }
}

/// A consumer that is killed and started again: what it ends with, only its sink's offsets decide.
struct LiveConsumer {
    private let arguments: [String]

    /// - Parameter command: such as `etl --sink jsonl`.
    init(_ command: [String], _ broker: TestBroker, batch: Int = 20) {
        arguments =
            command + [
                "--kafka.brokers", broker.address, "--linger-ms", "5", "--batch-records", "\(batch)", "--log-level", "debug",
                // The end of a partition is told after a fetch that found nothing.
                "--kafka.property.fetch.wait.max.ms", "20", "--kafka.property.topic.metadata.refresh.interval.ms", "200",
            ]
    }

    /// Each is a group of its own: a broker waits for killed members.
    func start(_ more: [String] = []) throws -> ChildProcess {
        try ChildProcess(Consuming.binary, arguments + ["--group", UUID().uuidString] + more)
    }

    /// Reads everything that there is; answers the exit status and the output.
    func readToEnd(_ more: [String] = []) throws -> (status: Int32, output: String) {
        let process = try start(["--until-end"] + more)
        return (process.wait(), process.output)
    }
}

extension [LiveConsumer] {
    /// Runs all of them while `work` is done, and kills each right after one of its commits, or before the first.
    ///
    /// - Parameter commits: how many there may have been; `work` must leave enough to read for the most.
    func runAndKill(
        after commits: ClosedRange<Int>, _ generator: inout SeededGenerator, during work: () throws -> Void
    ) throws {
        let processes = try map { try $0.start() }
        for process in processes { try process.waitForOutput("partitions assigned") }
        try work()
        for process in processes {
            try process.waitForOutput("batch committed", times: Int.random(in: commits, using: &generator))
            process.kill()
        }
    }
}
