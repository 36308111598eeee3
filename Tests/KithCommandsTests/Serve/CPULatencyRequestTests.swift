import Foundation
import KithCommands
import KithCore
import Testing

@Suite struct CPULatencyRequestTests {
    @Test func asksInTheKernelsWords() throws {
        let device = try SampleFile([])
        let request = try CPULatencyRequest(microseconds: 258, device: device.path)
        withExtendedLifetime(request) {}
        #expect(try Data(contentsOf: URL(filePath: device.path)) == Data([2, 1, 0, 0]))
    }

    @Test func lastsAsLongAsItself() throws {
        let device = try SampleFile([])
        var request: CPULatencyRequest? = try CPULatencyRequest(microseconds: 0, device: device.path)
        #expect(try isOpen(device.path))
        withExtendedLifetime(request) {}
        request = nil
        #expect(try !isOpen(device.path))
    }

    @Test func saysWhichDeviceItNeeds() {
        let error = #expect(throws: KithError.self) { try CPULatencyRequest(microseconds: 0, device: "/no/such/device") }
        #expect(error?.reason == .invalidConfiguration)
        #expect(error?.message.contains("'cpu-latency-microseconds' needs /no/such/device: No such file") == true)
    }

    private func isOpen(_ path: String) throws -> Bool {
        let resolved = URL(filePath: path).resolvingSymlinksInPath().path
        return try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").contains { name in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")) == resolved
        }
    }
}
