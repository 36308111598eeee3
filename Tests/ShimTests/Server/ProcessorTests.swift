import Foundation
import Testing

/// The server moves its threads from one processor to another, and pins none.
@Suite struct ProcessorTests {
    /// The processors that a thread may run on, as the system lists them.
    private static func allowed(_ thread: String) -> Substring? {
        let status = try? String(contentsOfFile: "/proc/self/task/\(thread)/status", encoding: .utf8)
        return status?.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
    }

    private static var serverThreads: [String] {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return threads.filter { thread in
            let name = try? String(contentsOfFile: "/proc/self/task/\(thread)/comm", encoding: .utf8)
            return name?.hasPrefix("kith.grpc.") == true
        }
    }

    @Test func threadsMayRunEverywhereOnceTheyWait() throws {
        let server = try EchoServer()
        defer { withExtendedLifetime(server) {} }
        inThreads(8) { _ in
            let client = EchoClient(server.address)
            for _ in 0..<200 { #expect(client.call(Behaviour.echo).code == 0) }
        }
        let whole = try #require(ProcessorTests.allowed("\(ProcessInfo.processInfo.processIdentifier)"))
        #expect(!ProcessorTests.serverThreads.isEmpty)
        // Those of servers of other tests may be moving: a move takes microseconds.
        var pinned = Set(ProcessorTests.serverThreads)
        let deadline = ContinuousClock.now + .seconds(30)
        while !pinned.isEmpty, ContinuousClock.now < deadline {
            pinned = pinned.filter { thread in ProcessorTests.allowed(thread).map { $0 != whole } ?? false }
        }
        #expect(pinned.isEmpty)
    }
}
