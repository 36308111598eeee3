import Foundation
import TestSupport
import Testing

/// Erasures over the wire: nothing of the subject is left in the data folder, whatever happens in between, and it is told.
@Suite("Erasures", .serverOutput)
struct ErasureTests {
    private let topic: GovernanceTopic
    private var connection: Connection { topic.connection }

    init() throws {
        topic = try GovernanceTopic(collections: ["patients"])
        try topic.connection.create(
            "patients", [Make.space(dimension: 4, metric: "L2")], ["changeEvents": ["vectors": "VECTORS_FULL"]])
    }

    private static func secret(_ person: Int) -> String { "f3b8c1d0-secret-of-\(person)-7a9e52" }

    private static func vector(_ person: Int) -> [Float] { [Float(person) + 0.123_456, 1.618_034, -2.718_28, 3.141_593] }

    /// Points of persons: each has every third.
    private func upsert(_ numbers: ClosedRange<Int>) throws {
        try connection.upsert(
            "patients",
            numbers.map { number in
                let person = number % 3
                return Make.point(
                    number, ErasureTests.vector(person),
                    payload: #"{"person":{"id":"p\#(person)","note":"\#(ErasureTests.secret(person))"}}"#)
            })
    }

    private func request(_ name: String, _ what: [String: JSON], _ more: [String: JSON] = [:]) throws -> JSON {
        var erasure: JSON = ["name": .text(name), "subject": "ticket-1", "collection": "patients", "reason": "asked for"]
        for (field, value) in what { erasure[field] = value }
        var request: JSON = ["erasure": erasure]
        for (field, value) in more { request[field] = value }
        return try connection.call(.requestErasure, request)
    }

    /// Asks until an erasure is as wanted. The change stream's heartbeats give the pace.
    private func wait(_ name: String, until isSo: (JSON) throws -> Bool) throws -> JSON {
        let beat = try connection.open(
            .subscribe, ["collection": "patients", "start": "START_NOW", "heartbeatMilliseconds": 100])
        var last: JSON = .null
        repeat {
            last = try connection.call(.getErasure, ["erasure": .text(name)])
            if try isSo(last) {
                beat.cancel()
                return last
            }
        } while try beat.read() != nil
        Issue.record("not so within a minute: \(last)")
        return last
    }

    private func waitUntilProved(_ name: String) throws -> JSON { try wait(name) { $0["stage"] == "STAGE_PROVED" } }

    /// Files of the data folder that have these bytes.
    private func files(with bytes: [UInt8]) throws -> [String] {
        let wanted = Data(bytes)
        let all = try FileManager.default.subpathsOfDirectory(atPath: topic.server.dataFolder)
        return all.filter { path in
            // Files of the store come and go.
            let data = FileManager.default.contents(atPath: "\(topic.server.dataFolder)/\(path)")
            return data?.range(of: wanted) != nil
        }
    }

    private func traces(of person: Int) throws -> [String] {
        try files(with: Array(ErasureTests.secret(person).utf8))
            + files(with: ErasureTests.vector(person).withUnsafeBytes { Array($0) })
    }

    @Test func nothingIsLeftOfTheSubject() throws {
        try upsert(1...9)
        try upsert(1...6)
        try connection.call(.delete, ["collection": "patients", "ids": [Make.id(7)]])
        let traces = try traces(of: 1)
        #expect(traces.contains { $0.hasSuffix(".vectors") } && traces.contains { !$0.hasSuffix(".vectors") }, "\(traces)")

        let asked = try request("gdpr-1", ["field": "person.id", "valueJson": #""p1""#], ["requestId": "r-1"])
        #expect(asked["requested"] == "2" && asked["stage"] != "STAGE_PROVED")
        let proved = try waitUntilProved("gdpr-1")
        #expect(proved["deleted"] == "2" && proved["field"] == "" && proved["valueJson"] == "" && proved["provedAt"] != .null)
        #expect(proved["redactedCommits"] == "3", "two upserts and the deletion")
        #expect(proved["overwrittenVectors"] == "4")
        // sha256 of "1\n4\n"
        #expect(proved["pointsSha256"] == "E0MuuBmqp7MIGXa+KEl3OeWanonA5+nXF2TAJer5BIo=")
        #expect(try connection.count("patients") == 6)

        // RocksDB deletes files that it has replaced behind our back.
        _ = try wait("gdpr-1") { _ in try self.traces(of: 1).filter { !$0.hasSuffix(".vectors") }.isEmpty }
        #expect(try self.traces(of: 2).count >= 2, "others keep theirs")
        // Point 7 was deleted before, and by nobody's erasure: its vector stays until an erasure names it.
        _ = try request("gdpr-2", ["points": [Make.id(7), Make.id(7), Make.id(1_000)]])
        #expect(try waitUntilProved("gdpr-2")["deleted"] == "0")
        #expect(try self.traces(of: 1) == [])

        let error = try #require(throws: CallError.self) { try request("gdpr-1", ["points": [Make.id(2)]]) }
        #expect(error.reason == "ERASURE_ALREADY_EXISTS")
        #expect(try request("gdpr-1", ["points": [Make.id(2)]], ["requestId": "r-1"])["stage"] == "STAGE_PROVED")

        let events = try topic.events(atLeast: 4)
        #expect(
            events.map { "\($0.type.split(separator: ".")[3]) \($0.key)" } == [
                "erasure_requested erasures/gdpr-1", "erasure_proved erasures/gdpr-1", "erasure_requested erasures/gdpr-2",
                "erasure_proved erasures/gdpr-2",
            ])
        #expect(events[0].value["erasureRequested"]["field"] == "person.id")
        #expect(events[1].value["erasureProved"]["pointsSha256"] == proved["pointsSha256"])
        #expect(events[1].value["source"]["context"]["actor"] == ["id": "erasure", "proof": "PROOF_SYSTEM"])
    }

    @Test func deletionsOfAnErasureTellNothingOfThePoints() throws {
        try upsert(1...3)
        _ = try request("e", ["points": [Make.id(1)]])
        let positions = try waitUntilProved("e")["positions"]
        let replay = try connection.open(
            .subscribe,
            ["collection": "patients", "start": "START_POSITION", "positions": [["shard": 0, "position": "0"]], "vectors": true])
        var events: [JSON] = []
        while events.count < 4, let answer = try replay.read() { events += answer["events"].list }
        replay.cancel()
        for event in events {
            let images = [event["before"], event["after"]].filter { $0 != .null }
            let isErased = images.allSatisfy { $0["payloadJson"] == "" && $0["vectors"].list.allSatisfy { $0["data"] == "" } }
            #expect(isErased == (images.first?["id"]["number"] == "1"), "\(event)")
        }
        #expect(events.last?["op"] == "CHANGE_OPERATION_DELETE")
        #expect(events.last?["source"]["position"] == positions[0]["position"])
    }

    @Test func heldPointsAreNotErased() throws {
        try upsert(1...6)
        let hold: JSON = ["name": "case-1", "collection": "patients", "points": [Make.id(4)]]
        try connection.call(.placeLegalHold, ["hold": hold])
        let error = try #require(throws: CallError.self) {
            try request("e", ["field": "person.id", "valueJson": #""p1""#])
        }
        #expect(error.code == .failedPrecondition && error.reason == "LEGAL_HOLD")
        #expect(error.metadata["hold"] == "case-1" && error.metadata["point"] == "4")
        #expect(try connection.call(.listErasures, [:])["erasures"].list.isEmpty)
        try connection.call(.releaseLegalHold, ["hold": "case-1"])
        _ = try request("e", ["field": "person.id", "valueJson": #""p1""#])
        #expect(try waitUntilProved("e")["deleted"] == "2")
    }

    /// Killed again and again, it goes on where it was, and counts each point once.
    @Test(arguments: [UInt64(1), 2, 3]) func killsInBetweenCostNothing(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for first in stride(from: 1, through: 5_001, by: 1_000) { try upsert(first...first + 999) }
        _ = try request("gdpr", ["field": "person.id", "valueJson": #""p1""#])
        for _ in 0..<4 {
            // A start takes some forty steps; the rest are of the erasure.
            try topic.server.restartAndKill(
                at: .disk, number: Int.random(in: 1...200, using: &random), isTaken: Bool.random(using: &random)
            ) { try $0.call(.getErasure, ["erasure": "gdpr"])["stage"] == "STAGE_PROVED" }
        }
        try topic.server.restart()
        let proved = try waitUntilProved("gdpr")
        #expect(proved["requested"] == "2000" && proved["deleted"] == "2000" && proved["overwrittenVectors"] == "2000")
        #expect(try connection.count("patients") == 4_000)
        _ = try wait("gdpr") { _ in try self.traces(of: 1).isEmpty }
        let events = try topic.events(atLeast: 2)
        #expect(events.map(\.key) == ["erasures/gdpr", "erasures/gdpr"])
    }
}
