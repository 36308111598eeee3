import Foundation
import Glibc
import TestSupport
import Testing

/// `--cpu-latency-microseconds` holds a request while the server runs, or keeps it from starting where that is not allowed.
@Suite("CPU latency", .serverOutput)
struct CPULatencyTests {
    private static let device = "/dev/cpu_dma_latency"
    private static let mayAsk = access(device, W_OK) == 0
    private let flags = ["--cpu-latency-microseconds", "1000000"]

    @Test(.enabled(if: mayAsk, "the device is not ours to write")) func theServerRunsWithIt() throws {
        let server = try ServerProcess(flags)
        #expect(try server.connection.isServing())
        #expect(server.terminate() == 0)
    }

    @Test(.disabled(if: mayAsk, "the device is ours to write")) func theServerDoesNotStartWithoutIt() throws {
        let folder = try TemporaryFolder()
        let process = try ChildProcess(
            TestEnvironment.binary, ["serve", "--listen", "127.0.0.1:0", "--data", folder("data")] + flags)
        #expect(process.wait() == 2)
        #expect(process.output.contains(CPULatencyTests.device))
    }
}
