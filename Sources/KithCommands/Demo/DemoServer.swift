import Foundation
import Glibc
import KithAPI
import KithCore

/// This very program as a server, with its data in a folder of the demo's.
final class DemoServer: Sendable {
    let process: ChildProcess
    let client: KithClient
    let port: Int
    /// What it printed at start-up.
    let announcement: [String]
    /// From its start until it listened.
    let startTime: Duration

    /// Returns when it listens.
    init(folder: String, brokers: String, topicPrefix: String) throws(KithError) {
        let portFile = "\(folder)/port"
        try Files.remove(portFile)
        // Settings of the person who runs the demo are not the demo's.
        let environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KITH_") }
        let clock = ContinuousClock()
        let began = clock.now
        let process = try ChildProcess(
            "/proc/self/exe",
            [
                "serve", "--listen", "127.0.0.1:0", "--data", "\(folder)/data", "--port-file", portFile, "--log-level", "warning",
                "--kafka.brokers", brokers, "--kafka.topic-prefix", topicPrefix,
            ], environment: environment, output: "\(folder)/serve.out", errors: "\(folder)/serve.log")
        do throws(KithError) {
            try Waiting.until(seconds: 60, "the server listens") { () throws(KithError) in
                guard process.isRunning else {
                    let log = String(decoding: try Files.read("\(folder)/serve.log"), as: UTF8.self)
                    throw KithError(.internal, .serverUnreachable, "the server ended: \(log.suffix(2_000))")
                }
                return Files.exists(portFile)
            }
            startTime = clock.now - began
            let text = String(decoding: try Files.read(portFile), as: UTF8.self)
            port = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
            let client = try KithClient(address: "127.0.0.1:\(port)", timeoutMilliseconds: 20_000)
            self.client = client
            try Waiting.until(seconds: 10, "the server serves") { () throws(KithError) in try client.isServing() }
            announcement = String(decoding: try Files.read("\(folder)/serve.out"), as: UTF8.self).split(separator: "\n")
                .map(String.init)
        } catch {
            process.signal(SIGKILL)
            process.wait()
            throw error
        }
        self.process = process
    }

    /// As if the power of the process were cut: it gets no chance to tidy up.
    func kill() { process.signal(SIGKILL) }

    /// Orderly.
    func stop() {
        process.signal(SIGTERM)
        process.wait()
    }
}

/// Waits for something that another process does.
enum Waiting {
    /// - Throws: `DEADLINE_EXCEEDED`, saying `what` did not come.
    static func until(seconds: Int, _ what: String, _ holds: () throws(KithError) -> Bool) throws(KithError) {
        let end = ContinuousClock.now + .seconds(seconds)
        while try !holds() {
            guard ContinuousClock.now < end else {
                throw KithError(
                    .deadlineExceeded, .deadlineExceeded, "waited \(seconds) s in vain until \(what)",
                    metadata: ["seconds": "\(seconds)"])
            }
            usleep(10_000)
        }
    }
}
