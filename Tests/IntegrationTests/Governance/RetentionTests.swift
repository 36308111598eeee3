import TestSupport
import Testing

/// Retention over the wire: the server deletes what is too old by itself, whatever happens in between, and tells it.
@Suite("Retention", .serverOutput)
struct RetentionTests {
    private let topic: GovernanceTopic
    private var connection: Connection { topic.connection }

    init() throws {
        topic = try GovernanceTopic(collections: ["visits"])
        try topic.connection.create("visits", [Make.space(dimension: 2, metric: "L2")])
    }

    private static let old = "2001-09-09T01:46:40Z"
    private static let young = "2999-01-01T00:00:00Z"

    private func upsert(_ numbers: ClosedRange<Int>, seenAt: String) throws {
        try connection.upsert(
            "visits", numbers.map { Make.point($0, [Float($0), 0], payload: #"{"seen":{"at":"\#(seenAt)"}}"#) })
    }

    private func retain(_ more: [String: JSON] = ["field": "seen.at"]) throws {
        var request: JSON = ["collection": "visits", "maxAgeSeconds": 86_400]
        for (field, value) in more { request[field] = value }
        try connection.call(.setRetention, request)
    }

    /// Asks until the collection's retention is as wanted. The change stream's heartbeats give the pace.
    private func wait(until isSo: (JSON) -> Bool) throws -> JSON {
        let beat = try connection.open(
            .subscribe, ["collection": "visits", "start": "START_NOW", "heartbeatMilliseconds": 100])
        var last: JSON = .null
        repeat {
            last = try connection.call(.getRetention, ["collection": "visits"])
            if isSo(last) {
                beat.cancel()
                return last
            }
        } while try beat.read() != nil
        Issue.record("not so within a minute: \(last)")
        return last
    }

    @Test func oldPointsGoAndItIsTold() throws {
        try upsert(1...7, seenAt: RetentionTests.old)
        try upsert(8...9, seenAt: RetentionTests.young)
        try connection.upsert("visits", [Make.point(10, [1, 1])])
        try connection.call(
            .placeLegalHold, ["hold": ["name": "case-1", "collection": "visits", "points": [Make.id(1), Make.id(8)]]])
        try retain()
        let state = try wait { $0["sweptAt"] != .null }
        #expect(state["deleted"] == "6" && state["held"] == "1" && state["undated"] == "1" && state["problem"] == "")
        #expect(try connection.count("visits") == 4)
        #expect(try connection.call(.listRetentions, [:])["retentions"].list.map { $0["field"] } == ["seen.at"])

        let events = try topic.events(atLeast: 3)
        #expect(events.map(\.key) == ["holds/case-1", "retentions/visits", "retentions/visits/applied"])
        #expect(events.map(\.type)[1...] == ["io.kith.governance.retention_set.v1", "io.kith.governance.retention_applied.v1"])
        #expect(events[1].value["retentionSet"]["maxAgeSeconds"] == 86_400)
        #expect(
            events[1...].allSatisfy { event in
                ["retentionSet", "retentionApplied"].contains { event.value[$0]["collectionId"] == 1 }
            })
        let applied = events[2].value["retentionApplied"]
        #expect(applied["rule"] == "older than 86400 s by seen.at" && applied["points"] == "6")
        #expect(events[2].value["source"]["context"]["actor"] == ["id": "retention", "proof": "PROOF_SYSTEM"])

        let replay = try connection.open(
            .subscribe, ["collection": "visits", "start": "START_POSITION", "positions": [["shard": 0, "position": "0"]]])
        var changes: [JSON] = []
        while changes.count < 16, let answer = try replay.read() { changes += answer["events"].list }
        replay.cancel()
        let deletions = changes.filter { $0["op"] == "CHANGE_OPERATION_DELETE" }
        #expect(deletions.count == 6 && deletions.allSatisfy { $0["source"]["context"]["actor"]["proof"] == "PROOF_SYSTEM" })
        #expect(applied["positions"].list.map { $0["position"] } == [deletions[0]["source"]["position"]])
    }

    /// By last change it takes as long as it says.
    @Test func pointsGoByTheirLastChange() throws {
        try upsert(1...5, seenAt: RetentionTests.young)
        try retain(["maxAgeSeconds": 1])
        let state = try wait { $0["deleted"] == "5" }
        #expect(state["field"] == "")
        try connection.call(.setRetention, ["collection": "visits"])
        #expect(try connection.call(.listRetentions, [:])["retentions"].list.isEmpty)
        #expect(try connection.count("visits") == 0)
    }

    /// Killed again and again, it goes on, and counts each point once.
    @Test(arguments: [UInt64(1), 2, 3]) func killsInBetweenCostNothing(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for first in stride(from: 1, through: 7_001, by: 1_000) { try upsert(first...first + 999, seenAt: RetentionTests.old) }
        try upsert(8_001...8_100, seenAt: RetentionTests.young)
        try retain()
        for _ in 0..<4 {
            // A start takes some forty steps; the rest are of the deletions.
            try topic.server.restartAndKill(
                at: .disk, number: Int.random(in: 1...100, using: &random), isTaken: Bool.random(using: &random)
            ) { try $0.count("visits") == 100 }
        }
        try topic.server.restart()
        let state = try wait { $0["deleted"] == "8000" && $0["sweptAt"] != .null }
        #expect(state["problem"] == "")
        #expect(try connection.count("visits") == 100)
        let told = try topic.events(atLeast: 9).filter { $0.key == "retentions/visits/applied" }
        let points = told.compactMap { $0.value["retentionApplied"]["points"].string.flatMap(Int.init) }
        #expect(points.reduce(0, +) == 8_000, "\(points)")
    }
}
