import Synchronization
import TestSupport
import Testing

/// SIGTERM: what is under way ends well, what is open is told to go, nothing acknowledged is lost, and the exit status is 0.
@Suite("Shutdown", .serverOutput)
struct ShutdownTests {
    private let server: ServerProcess
    private var connection: Connection { server.connection }

    init() throws {
        server = try ServerProcess()
        try server.connection.create("docs", [Make.space(dimension: 2, metric: "L2")], shards: 2)
    }

    @Test func anIdleServerExitsWithZero() throws {
        #expect(server.terminate() == 0)
        try server.restart()
        #expect(try server.connection.isServing())
    }

    private final class Acknowledged: Sendable {
        let count = Atomic<Int>(0)
    }

    @Test func writesInProgressAreAnsweredOrRefused() throws {
        let connection = connection
        let acknowledged = Acknowledged()
        let threads = Threads()
        for thread in 0..<4 {
            threads.start {
                do {
                    for number in 0..<1_000_000 {
                        try connection.upsert("docs", [Make.point(thread * 1_000_000 + number, [1, 2])])
                        acknowledged.count.add(1, ordering: .sequentiallyConsistent)
                    }
                } catch let error as CallError {
                    #expect(error.code == .unavailable || error.code == .cancelled, "\(error)")
                } catch { Issue.record(error) }
            }
        }
        // In the middle of it, as the server knows best.
        while try (connection.count("docs") ?? 0) < 200 {}
        #expect(server.terminate() == 0)
        threads.join()
        try server.restart()
        #expect(try (server.connection.count("docs") ?? 0) >= acknowledged.count.load(ordering: .sequentiallyConsistent))
    }

    @Test func openStreamsAreToldToGo() throws {
        let upserts = try connection.open(.upsertStream)
        try upserts.send(["open": ["collection": "docs", "streamId": "loader"]])
        _ = try upserts.read()
        for sequence in 1...300 {
            try upserts.send([
                "item": ["sequence": .number(sequence), "operation": ["upsert": ["point": Make.point(sequence, [1, 2])]]]
            ])
        }
        try upserts.send(["flush": [:]])
        let changes = try connection.open(.subscribe, ["collection": "docs", "start": "START_NOW", "heartbeatMilliseconds": 100])
        _ = try changes.read()
        let searches = try connection.open(.searchStream)
        try searches.send(["tag": "1", "search": ["collection": "docs", "query": ["vector": Make.vector([1, 2])]]])
        _ = try searches.read()
        let health = try connection.open(.watchHealth, [:])
        #expect(try health.read()?["status"] == "SERVING")
        let server = server
        let end = Threads()
        end.start { #expect(server.terminate() == 0) }
        #expect(try health.read()?["status"] == "NOT_SERVING")
        var last: UInt64 = 0
        var goAway: JSON = .null
        while let answer = try upserts.read() {
            if let to = answer["ack"]["sequenceTo"].integer, to > 0 { last = to }
            if answer["goAway"] != .null { goAway = answer["goAway"] }
        }
        #expect(goAway["reason"] == "SHUTTING_DOWN")
        #expect(goAway["lastSequence"].integer == last)
        for stream in [changes, searches] {
            let error = #expect(throws: CallError.self) { try stream.finish() }
            #expect(error?.code == .unavailable && error?.reason == "SHUTTING_DOWN", "\(String(describing: error))")
        }
        end.join()
        try server.restart()
        #expect(try server.connection.count("docs") == last)
        let again = try server.connection.open(.upsertStream)
        try again.send(["open": ["collection": "docs", "streamId": "loader"]])
        #expect(try again.read()?["opened"]["lastAcked"].integer == last)
        again.cancel()
    }

    @Test func aSecondServerOnTheSameDataIsRefused() throws {
        let second = try ChildProcess(
            TestEnvironment.binary, ["serve", "--listen", "127.0.0.1:0", "--data", server.dataFolder])
        #expect(second.wait() == 1)
        #expect(second.output.contains("kith: "))
        #expect(try connection.isServing())
    }
}
