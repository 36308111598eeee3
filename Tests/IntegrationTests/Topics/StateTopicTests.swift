import Foundation
import KithEvents
import TestSupport
import Testing

/// A state topic that is turned on when there are points already, by a server that is killed on the way.
@Suite("State topic", .serverOutput)
struct StateTopicTests {
    private static let shards = 2
    private static let points = 24_000

    /// What the server says of the snapshot, all shards together.
    private struct Progress {
        var isDone: Bool
        var points: UInt64
    }

    private func upsert(_ numbers: Range<Int>, round: Int, to server: ServerProcess) throws {
        let points = numbers.map { Make.point($0, [Float($0), Float(round)], payload: #"{"round":\#(round)}"#) }
        try server.connection.upsert("docs", points)
    }

    private func progress(_ server: ServerProcess) throws -> Progress {
        let shards = try server.connection.call(.getEventStatus, ["collection": "docs"])["shards"].list
        let isDone =
            shards.count == StateTopicTests.shards
            && shards.allSatisfy { $0["stateSnapshotState"] == "STATE_SNAPSHOT_STATE_DONE" }
        return Progress(isDone: isDone, points: shards.compactMap { $0["stateSnapshotPoints"].integer }.reduce(0, +))
    }

    /// Kills the server once more points are in the topic than were `seen`, and not all; false where all came to be first.
    private func killAmidSnapshot(_ server: ServerProcess, beyond seen: inout UInt64) throws -> Bool {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            let progress = try progress(server)
            if progress.isDone { return false }
            guard progress.points > seen else { continue }
            server.kill()
            seen = progress.points
            return true
        }
        throw ChildProcess.Failure(description: "no snapshot within a minute: \(try progress(server))")
    }

    /// The change stream's heartbeats give the pace.
    private func waitUntilDone(_ server: ServerProcess) throws {
        let beat = try server.connection.open(
            .subscribe, ["collection": "docs", "start": "START_NOW", "heartbeatMilliseconds": 100])
        while try !progress(server).isDone {
            try #require(try beat.read() != nil, "not done within a minute")
        }
        beat.cancel()
    }

    /// Versions by id in the topic's order; nil where it was deleted.
    private func states(_ records: [KafkaRecord]) throws -> [String: [UInt64?]] {
        var states: [String: [UInt64?]] = [:]
        for record in records {
            let image: JSON? = try record.value.map { try Message.decode($0, as: "kith.v1.PointImage") }
            states[String(decoding: record.key, as: UTF8.self), default: []].append(image?["version"].integer)
        }
        return states
    }

    private func versions(_ server: ServerProcess) throws -> [String: UInt64] {
        var versions: [String: UInt64] = [:]
        var token: JSON = ""
        repeat {
            let page = try server.connection.call(.scroll, ["collection": "docs", "pageSize": 1_000, "pageToken": token])
            for point in page["points"].list { versions[point["id"]["number"].string ?? ""] = point["version"].integer }
            token = page["nextPageToken"]
        } while token != ""
        return versions
    }

    /// The test broker shows what was aborted, and so a cursor of records that it never got: exactly once is a matter of a real one.
    @Test(arguments: TestBroker.kinds.flatMap { $0 ? [($0, "at-least-once"), ($0, "exactly-once")] : [($0, "at-least-once")] })
    func killsInTheMiddleLeaveNothingOut(isReal: Bool, delivery: String) throws {
        let broker = try TestBroker(isReal: isReal, collections: ["docs": StateTopicTests.shards])
        let server = try ServerProcess(["--kafka.brokers", broker.address, "--kafka.delivery", delivery])
        try server.connection.create(
            "docs", [Make.space(dimension: 2, metric: "L2", index: "flat")], shards: StateTopicTests.shards)
        for first in stride(from: 0, to: StateTopicTests.points, by: 1_000) {
            try upsert(first..<first + 1_000, round: 0, to: server)
        }
        try server.waitUntilPublished("docs")
        try server.connection.call(
            .updateCollection, ["collection": ["name": "docs", "changeEvents": ["state": true]], "updateMask": "changeEvents"])
        var (kills, seen) = (0, UInt64(0))
        while kills < 4, try killAmidSnapshot(server, beyond: &seen) {
            kills += 1
            try server.restart()
            // Of what is in the topic, and of what is not.
            try upsert(kills * 100..<kills * 100 + 50, round: kills, to: server)
            try upsert(StateTopicTests.points - kills * 100..<StateTopicTests.points, round: kills, to: server)
            let gone = stride(from: kills, to: StateTopicTests.points, by: 997).map { Make.id($0) }
            try server.connection.call(.delete, ["collection": "docs", "ids": .list(gone)])
        }
        #expect(kills > 0, "no kill came in time")
        try waitUntilDone(server)
        try server.waitUntilPublished("docs")
        let records = try broker.records(of: "kith.state.v1.docs", partitions: StateTopicTests.shards)
        let (states, versions) = (try states(records), try versions(server))
        #expect(states.compactMapValues { $0.last ?? nil } == versions)
        if delivery == "exactly-once" {
            #expect(Set(records.compactMap { $0.header("ce_id") }).count == records.count, "a record came twice")
            let isInOrder = states.values.allSatisfy { versions in
                let given = versions.compactMap { $0 }
                return given == given.sorted()
            }
            #expect(isInOrder, "an older state came after a newer one")
        }
        #expect(server.terminate() == 0)
    }
}
