import Foundation
import Glibc
import KithCore

/// A PostgreSQL of Debian's package, in a folder of its own, on a Unix socket, with its own settings: every commit is synced.
final class EventDatabase {
    private let folder: TemporaryFolder
    private let process: Process

    /// libpq's connection.
    var connection: String { "host=\(folder.path) user=kith dbname=postgres" }

    /// Returns when it answers; nil where there is none.
    init?() throws(KithError) {
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap(Int.init).sorted()
        guard let binaries = versions.last.map({ "\(root)/\($0)/bin" }) else { return nil }
        folder = try TemporaryFolder()
        // It does not run as root.
        if geteuid() == 0, let user = getpwnam("postgres") { chown(folder.path, user.pointee.pw_uid, user.pointee.pw_gid) }
        let output = "\(folder.path)/output"
        try Files.write(Data(), to: output)
        let data = "\(folder.path)/data"
        let made = try EventDatabase.start(
            "\(binaries)/initdb", ["--pgdata", data, "--auth", "trust", "--username", "kith", "--encoding", "UTF8"], output)
        made.waitUntilExit()
        guard made.terminationStatus == 0 else { throw .failed("initdb failed: \(EventDatabase.text(output).suffix(500))") }
        process = try EventDatabase.start(
            "\(binaries)/postgres", ["-D", data, "-k", folder.path, "-c", "listen_addresses="], output)
        Leftovers.add(server: process.processIdentifier)
        while !EventDatabase.text(output).contains("ready to accept connections") {
            guard process.isRunning else { throw .failed("PostgreSQL ended: \(EventDatabase.text(output).suffix(500))") }
            usleep(10_000)
        }
    }

    deinit {
        kill(process.processIdentifier, SIGQUIT)
        process.waitUntilExit()
        Leftovers.forget(server: process.processIdentifier)
    }

    private static func text(_ file: String) -> String {
        FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// The kernel ends it with us, however we end; setpriv becomes the program.
    private static func start(_ binary: String, _ arguments: [String], _ output: String) throws(KithError) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        let user = geteuid() == 0 ? ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"] : []
        process.arguments = user + ["--pdeathsig", "KILL", binary] + arguments
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = process.standardOutput
        do { try process.run() } catch { throw .failed("cannot start \(binary): \(error.localizedDescription)") }
        return process
    }
}
