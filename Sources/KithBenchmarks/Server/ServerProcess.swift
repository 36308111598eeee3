import Foundation
import Glibc
import KithAPI
import KithCore

/// A `kith serve` of our own, on a free port.
final class ServerProcess {
    static let option = (
        name: "server-option NAME=VALUE", help: "a setting of the server, such as link-threads=2; again for more"
    )

    /// When the process was started.
    let began = ContinuousClock.now
    let address: String
    let client: KithClient
    /// What its Kafka topics begin with.
    let topicPrefix: String
    private let process = Process()

    /// Returns as soon as the server listens.
    ///
    /// - Parameters:
    ///   - folder: its data, which stay when it stops.
    ///   - settings: more of its settings, as NAME=VALUE.
    init(_ run: Run, folder: String, settings: [String] = [], topicPrefix: String = "kith") throws(KithError) {
        self.topicPrefix = topicPrefix
        let beside = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "kith").path
        guard let binary = run.options.value("kith") ?? beside, access(binary, X_OK) == 0 else {
            throw .usage("there is no server at \(run.options.value("kith") ?? beside ?? "?"); build it, or name it with --kith")
        }
        let portFile = "\(folder)/port"
        unlink(portFile)
        // The kernel ends it with us, however we end. setpriv (util-linux) becomes the server: its process id stays.
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        process.arguments =
            [
                "--pdeathsig", "KILL", binary, "serve", "--listen", "127.0.0.1:0", "--data", "\(folder)/data", "--port-file",
                portFile, "--log-level", "warning",
            ]
            + (settings + run.options.all("server-option")).map { "--\($0)" }
        process.standardOutput = FileHandle.nullDevice
        do { try process.run() } catch { throw .failed("cannot start \(binary): \(error.localizedDescription)") }
        Leftovers.add(server: process.processIdentifier)
        address = "127.0.0.1:\(try ServerProcess.port(portFile, process))"
        client = try KithClient(address: address)
    }

    deinit { if process.isRunning { stop(SIGKILL) } }

    var identifier: Int32 { process.processIdentifier }

    /// Ends it and waits.
    func stop(_ signal: Int32 = SIGTERM) {
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        Leftovers.forget(server: process.processIdentifier)
    }

    private static func port(_ file: String, _ process: Process) throws(KithError) -> Int {
        while process.isRunning {
            if let text = try? String(contentsOfFile: file, encoding: .utf8),
                let port = Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
            {
                return port
            }
            usleep(1_000)
        }
        throw .failed("the server ended with \(process.terminationStatus) before it listened")
    }
}

/// A folder for a server's data, removed with all it holds.
final class TemporaryFolder {
    let path: String

    init() throws(KithError) {
        path = try Files.temporaryFolder()
        Leftovers.add(folder: path)
    }

    deinit {
        Leftovers.forget(folder: path)
        do { try FileManager.default.removeItem(atPath: path) } catch {
            Console.note("cannot remove \(path): \(error.localizedDescription)")
        }
    }
}
