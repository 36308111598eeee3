import Foundation
import Glibc

/// `kith serve` on a free port, with a data folder of its own unless one is given.
public final class ServerProcess: @unchecked Sendable {
    private let folder: TemporaryFolder
    public let dataFolder: String
    private let arguments: [String]
    private let environment: [String: String]
    // Tests restart a server from one thread.
    private var process: ChildProcess
    public private(set) var connection: Connection

    /// Returns when the server listens.
    ///
    /// - Parameters:
    ///   - arguments: more flags of `kith serve`.
    ///   - data: its data folder, which is left there.
    ///   - environment: added to this process's own.
    public init(_ arguments: [String] = [], data: String? = nil, environment: [String: String] = [:]) throws {
        folder = try TemporaryFolder()
        dataFolder = data ?? folder("data")
        let own = ["serve", "--listen", "127.0.0.1:0", "--data", dataFolder, "--port-file", folder("port")]
        self.arguments = own + arguments
        self.environment = environment
        process = try ChildProcess(TestEnvironment.binary, self.arguments, environment: environment)
        connection = try ServerProcess.connect(process, folder)
    }

    deinit { process.kill() }

    /// - Parameter more: what this start alone has in its environment.
    private func launch(_ more: [String: String] = [:]) throws -> ChildProcess {
        try ChildProcess(TestEnvironment.binary, arguments, environment: environment.merging(more) { $1 })
    }

    private static func connect(_ process: ChildProcess, _ folder: TemporaryFolder) throws -> Connection {
        try process.waitForOutput("  gRPC ")
        let port = try String(contentsOfFile: folder("port"), encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        return try Connection("127.0.0.1:\(port)")
    }

    public var address: String { connection.address }

    /// What the server printed since it was started last.
    public var output: String { process.output }

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
        process = try launch()
        connection = try ServerProcess.connect(process, folder)
    }

    /// Starts on the same data and ends at its so-manieth step, before or after that is taken: maybe amid recovery.
    ///
    /// - Parameter isDone: asked from when it listens: one that has nothing left to do takes no more steps, and is killed as it is.
    public func restartAndKill(
        at step: FaultControl.Step, number: Int, isTaken: Bool, orWhen isDone: (Connection) throws -> Bool = { _ in true }
    ) throws {
        process.kill()
        let control = try FaultControl(folder("control"))
        try control.kill(at: step, number: number, isTaken: isTaken)
        process = try launch(control.environment(data: dataFolder))
        do {
            let connection = try ServerProcess.connect(process, folder)
            while try !isDone(connection) {}
        } catch is ChildProcess.Failure {
            // It ended before it listened.
        } catch let error as CallError where error.code == .unavailable {
            // It ended amid its work.
        }
        process.signal(SIGKILL)
        let status = process.wait()
        guard status == -SIGKILL else { throw ChildProcess.Failure(description: "kith serve ended with \(status):\n\(output)") }
    }
}
