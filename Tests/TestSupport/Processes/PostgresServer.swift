import Foundation
import Glibc

/// A PostgreSQL of Debian's package, in a folder of its own, on a Unix socket. It does not run as root.
public final class PostgresServer: @unchecked Sendable {
    /// Where Debian puts the newest one; nil where there is none.
    public static let binaries: String? = {
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap(Int.init).sorted()
        return versions.last.map { "\(root)/\($0)/bin" }
    }()

    public static let absence = "no PostgreSQL: apt-get install postgresql"

    private let folder: TemporaryFolder
    // Restarted from one thread.
    private var process: ChildProcess

    /// Returns when it answers.
    public init() throws {
        folder = try TemporaryFolder()
        if geteuid() == 0, let user = getpwnam("postgres") {
            guard chown(folder.path, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else {
                throw ChildProcess.Failure(description: "cannot give \(folder.path) to postgres: errno \(errno)")
            }
        }
        let made = try PostgresServer.command(
            "initdb", ["--pgdata", folder("data"), "--auth", "trust", "--username", "kith", "--no-sync", "--encoding", "UTF8"])
        guard made.wait() == 0 else { throw ChildProcess.Failure(description: "initdb: \(made.output)") }
        process = try PostgresServer.start(folder)
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
        process = try PostgresServer.start(folder)
    }

    private static func start(_ folder: TemporaryFolder) throws -> ChildProcess {
        // Children of a killed server hold its memory for a moment; it says so, and is tried again.
        for _ in 0..<200 {
            let process = try command(
                "postgres", ["-D", folder("data"), "-k", folder.path, "-c", "listen_addresses=", "-c", "fsync=off"])
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
    private static func command(_ name: String, _ arguments: [String]) throws -> ChildProcess {
        let path = "\(binaries ?? "")/\(name)"
        guard geteuid() == 0 else { return try ChildProcess(path, arguments) }
        return try ChildProcess(
            "/usr/bin/setpriv", ["--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--", path] + arguments)
    }
}
