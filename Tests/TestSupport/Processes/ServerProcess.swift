import Foundation
import Glibc

/// `kith serve` on a free port, with a data folder of its own.
public final class ServerProcess: @unchecked Sendable {
    private let folder: TemporaryFolder
    private let arguments: [String]
    // Tests restart a server from one thread.
    private var process: ChildProcess
    public private(set) var connection: Connection

    /// Returns when the server listens.
    ///
    /// - Parameter arguments: more flags of `kith serve`.
    public init(_ arguments: [String] = []) throws {
        folder = try TemporaryFolder()
        self.arguments = arguments
        process = try ServerProcess.launch(folder, arguments)
        connection = try ServerProcess.connect(process, folder)
    }

    deinit { process.kill() }

    private static func launch(_ folder: TemporaryFolder, _ arguments: [String]) throws -> ChildProcess {
        let own = ["serve", "--listen", "127.0.0.1:0", "--data", folder("data"), "--port-file", folder("port")]
        return try ChildProcess(TestEnvironment.binary, own + arguments)
    }

    private static func connect(_ process: ChildProcess, _ folder: TemporaryFolder) throws -> Connection {
        try process.waitForOutput("  gRPC ")
        let port = try String(contentsOfFile: folder("port"), encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        return try Connection("127.0.0.1:\(port)")
    }

    public var address: String { connection.address }

    /// What the server printed since it was started last.
    public var output: String { process.output }

    public var dataFolder: String { folder("data") }

    // MARK: Ends and beginnings

    /// SIGKILL; returns when it is gone. From any thread.
    public func kill() { process.kill() }

    /// SIGTERM; waits for the end and answers the exit status.
    public func terminate() -> Int32 {
        process.signal(SIGTERM)
        return process.wait()
    }

    /// Starts again on the same data, after a kill or an end.
    public func restart() throws {
        process.kill()
        process = try ServerProcess.launch(folder, arguments)
        connection = try ServerProcess.connect(process, folder)
    }

    /// Starts on the same data, and kills after so many microseconds, maybe amid recovery.
    public func restartAndKill(afterMicroseconds microseconds: Int) throws {
        process.kill()
        let next = try ServerProcess.launch(folder, arguments)
        process = next
        DispatchQueue.global().asyncAfter(deadline: .now() + .microseconds(microseconds)) { next.signal(SIGKILL) }
        next.wait()
    }
}
