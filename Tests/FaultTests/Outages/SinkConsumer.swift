import Foundation
import TestSupport

/// Where `kith-consume etl` writes.
enum SinkKind {
    case files
    case table
}

/// `kith-consume etl` on the changes of a collection, killed and started again by a schedule, and what its sink holds.
final class SinkConsumer {
    /// A line of a file.
    struct Line: Decodable {
        struct Payload: Decodable { var mark: String }
        var event: String
        var op: String
        var id: UInt64
        var payload: Payload?
    }

    private static let binary =
        URL(filePath: TestEnvironment.binary).deletingLastPathComponent().appending(path: "kith-consume").path
    private static let database = Result { try PostgresServer() }

    private let collection: String
    private let folder: TemporaryFolder
    private let database: PostgresServer?
    private let arguments: [String]
    private var process: ChildProcess?

    init(_ kind: SinkKind, _ collection: String, brokers: String) throws {
        self.collection = collection
        folder = try TemporaryFolder()
        database = kind == .table ? try SinkConsumer.database.get() : nil
        let place =
            database.map { ["--sink", "postgres", "--postgres", $0.connection, "--postgres.consumer", collection] }
            ?? ["--sink", "jsonl", "--file-bytes", "50000"]
        arguments =
            [
                "etl", "--collections", collection, "--kafka.brokers", brokers, "--folder", folder.path, "--batch-records", "50",
                "--linger-ms", "5", "--kafka.property.topic.metadata.refresh.interval.ms", "200",
                "--kafka.property.socket.timeout.ms", "3000", "--kafka.property.reconnect.backoff.max.ms", "200",
                // The end of a partition is told after a fetch that found nothing.
                "--kafka.property.fetch.wait.max.ms", "20",
            ] + place
        try start()
    }

    /// Each is a group of its own: the test broker waits for a killed member without end. Where to go on, only the sink tells.
    private func launch(_ more: [String] = []) throws -> ChildProcess {
        try ChildProcess(SinkConsumer.binary, arguments + ["--group", UUID().uuidString] + more)
    }

    private func start() throws { process = try launch() }

    func killAndRestart() throws {
        process?.kill()
        try start()
    }

    /// Returns when its group has given it partitions.
    func waitUntilJoined() throws { try process?.waitForOutput("partitions assigned") }

    func killDatabase() throws { try database?.restart() }

    /// Ends the process amid its work, and has another one read to the end.
    func finish() throws {
        process?.kill()
        let last = try launch(["--until-end"])
        process = last
        guard last.wait() == 0 else { throw ChildProcess.Failure(description: "the consumer failed: \(last.output)") }
    }

    func end() { process?.kill() }

    // MARK: What the sink holds

    /// The lines of each partition's files; nil of a table.
    func lines(partitions: Int) throws -> [[Line]]? {
        guard database == nil else { return nil }
        return try (0..<partitions).map { partition in
            let place = "\(folder.path)/kith.changes.v1.\(collection)/\(partition)"
            guard FileManager.default.fileExists(atPath: place) else { return [] }
            let files = try FileManager.default.contentsOfDirectory(atPath: place).filter { $0.hasSuffix(".jsonl") }.sorted()
            return try files.flatMap { file in
                try String(contentsOfFile: "\(place)/\(file)", encoding: .utf8).split(separator: "\n").map {
                    try JSONDecoder().decode(Line.self, from: Data($0.utf8))
                }
            }
        }
    }

    /// Marks of the points as the sink has them, by id.
    func marks(partitions: Int) throws -> [String: String] {
        if let lines = try lines(partitions: partitions) {
            return lines.joined().reduce(into: [:]) { $0["\($1.id)"] = $1.payload?.mark }
        }
        guard let database, let binaries = PostgresServer.binaries else { return [:] }
        let query = try ChildProcess(
            "\(binaries)/psql",
            ["--dbname", database.connection, "--no-align", "--tuples-only", "--command", "SELECT id, mark FROM \(collection)"])
        guard query.wait() == 0 else { throw ChildProcess.Failure(description: "psql: \(query.output)") }
        let rows = query.output.split(separator: "\n").map { $0.split(separator: "|").map(String.init) }
        return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0.count > 1 ? $0[1] : "") })
    }

    /// Whether dead letters were written.
    var hasDeadLetters: Bool { FileManager.default.fileExists(atPath: folder("dead-letters.jsonl")) }
}
