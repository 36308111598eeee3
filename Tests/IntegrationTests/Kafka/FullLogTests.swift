import Foundation
import KithEvents
import TestSupport
import Testing

/// An outage of Kafka that lasts longer than the change log has room for, as clients and operators see it.
@Suite("Full logs", .serverOutput)
struct FullLogTests {
    private static let text = String(repeating: "x", count: 20_000)

    private func write(_ number: Int, to server: ServerProcess) throws {
        try server.connection.upsert(
            "docs", [Make.point(number, [1, 2], payload: #"{"n":\#(number),"text":"\#(FullLogTests.text)"}"#)])
    }

    /// `kith events status`: its exit status, and what it prints.
    private func status(_ server: ServerProcess) throws -> (exit: Int32, text: String) {
        let command = try ChildProcess(TestEnvironment.binary, ["events", "status", "--address", server.address])
        return (command.wait(), command.output)
    }

    /// Waits until it holds; the change stream's heartbeats give the pace, and end within a minute.
    private func wait(_ server: ServerProcess, until condition: () throws -> Bool) throws {
        let beat = try server.connection.open(
            .subscribe, ["collection": "docs", "start": "START_NOW", "heartbeatMilliseconds": 100])
        while try !condition() { try #require(try beat.read() != nil, "not within a minute\n\(server.output)") }
        beat.cancel()
    }

    @Test(arguments: TestBroker.kinds) func pushesBackAndGoesOn(isReal: Bool) throws {
        let broker = try TestBroker(isReal: isReal, collections: ["docs": 1])
        let server = try ServerProcess([
            "--kafka.brokers", broker.address, "--kafka.property.reconnect.backoff.max.ms", "200", "--change-log-bytes",
            "1048576", "--metrics-listen", "127.0.0.1:0",
        ])
        try server.connection.create("docs", [Make.space(dimension: 2, metric: "L2", index: "flat")])
        try write(0, to: server)
        try server.waitUntilPublished("docs")
        #expect(try status(server).exit == 0)

        try broker.goAway()
        var written = 1
        let refusal = #expect(throws: CallError.self) {
            while written < 1_000 {
                try write(written, to: server)
                written += 1
            }
        }
        #expect(refusal?.code == .resourceExhausted && refusal?.reason == "CHANGE_LOG_FULL", "\(String(describing: refusal))")
        #expect(written > 40, "a mebibyte has room for more than \(written) writes")
        // Nothing else stops.
        #expect(try server.connection.count("docs") == UInt64(written))
        try wait(server) { try server.metrics()["kith_relay_oldest_seconds"] ?? 0 >= 1 }
        let full = try server.metrics()
        #expect(full["kith_change_log_refusals_total"] ?? 0 > 0)
        #expect(full["kith_change_log_bytes"] ?? 0 >= full["kith_change_log_limit_bytes"] ?? .infinity)
        #expect(full["kith_relay_lag_commits"] == Double(written - 1) && full["kith_relay_waiting_events"] ?? 0 > 0)
        #expect(full["kith_relay_waiting_bytes"] ?? 0 > 500_000)
        // librdkafka notices after a while, and tells then.
        var away = ""
        try wait(server) {
            away = try status(server).text
            return away.contains("trouble")
        }
        #expect(["events/s", "WAITING", "BYTES", "OLDEST"].allSatisfy { away.contains($0) }, "\(away)")

        try broker.comeBack()
        try server.waitUntilPublished("docs")
        // The log is trimmed in the background: then there is room.
        try wait(server) { (try? write(written, to: server)) != nil }
        try server.waitUntilPublished("docs")
        let ids = try broker.records(of: "kith.changes.v1.docs").map { $0.header("ce_id") ?? "" }
        #expect(ids == (1...written + 1).map { "kith/1.0/\($0)/0" })
        try wait(server) { try server.metrics()["kith_relay_lag_commits"] == 0 }
        #expect(try server.metrics()["kith_published_events_total"] ?? 0 >= Double(written + 1))
        #expect(try status(server).exit == 0)
        #expect(server.terminate() == 0)
    }
}
