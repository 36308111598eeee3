import Foundation
import Glibc
import TestSupport
import Testing

/// A benchmark that is stopped in the middle leaves nothing running, and nothing behind where it can help it.
@Suite struct LeftoversTests {
    @Test(arguments: [SIGTERM, SIGINT, SIGKILL])
    func serverEndsWithTheBenchmark(_ signal: Int32) throws {
        let folder = try TemporaryFolder()
        let process = try BenchmarkProcess(
            ["grpc-floor", "--tiny", "--seconds", "600", "--kith", TestEnvironment.binary], environment: ["TMPDIR": folder.path])
        let port = try waitFor("a server") { try LeftoversTests.serverPort(below: folder.path) }
        process.signal(signal)
        #expect(process.wait() != 0)
        _ = try waitFor("the server's end") { LeftoversTests.listens(port) ? nil : true }
        if signal != SIGKILL {
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        }
    }

    /// What the benchmark's server wrote into its port file; nil before it did.
    private static func serverPort(below folder: String) throws -> UInt16? {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            guard let text = try? String(contentsOfFile: "\(folder)/\(name)/port", encoding: .utf8) else { continue }
            if let port = UInt16(text.trimmingCharacters(in: .whitespacesAndNewlines)), listens(port) { return port }
        }
        return nil
    }

    private static func listens(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private func waitFor<Value>(_ what: String, _ value: () throws -> Value?) throws -> Value {
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            if let value = try value() { return value }
            usleep(5_000)
        }
        throw BenchmarkProcess.Failure(description: "waited two minutes for \(what)")
    }
}
