import TestSupport
import Testing

/// Legal holds over the wire: they stand over restarts, refuse whole requests, and are told.
@Suite("Legal holds", .serverOutput)
struct HoldTests {
    private let topic: GovernanceTopic
    private var connection: Connection { topic.connection }

    init() throws {
        topic = try GovernanceTopic(collections: ["patients"])
        try topic.connection.create("patients", [Make.space(dimension: 2, metric: "L2")], shards: 1)
        try topic.connection.upsert(
            "patients", (1...6).map { Make.point($0, [Float($0), 0], payload: #"{"person":{"id":"p\#($0 % 3)"}}"#) })
    }

    private func place(_ name: String, _ what: [String: JSON], _ more: [String: JSON] = [:]) throws -> JSON {
        var hold: JSON = ["name": .text(name), "collection": "patients", "reason": "court order"]
        for (field, value) in what { hold[field] = value }
        var request: JSON = ["hold": hold]
        for (field, value) in more { request[field] = value }
        return try connection.call(.placeLegalHold, request)
    }

    private func refusal(_ method: Method, _ request: JSON) throws -> CallError {
        try #require(throws: CallError.self) { try connection.call(method, request) }
    }

    @Test func writesToHeldPointsAreRefusedWhole() throws {
        _ = try place("case-12", ["field": "person.id", "valueJson": #""p1""#])
        _ = try place("case-13", ["points": [Make.id(2)]], ["requestId": "r-1"])
        topic.server.kill()
        try topic.server.restart()

        for (method, request): (Method, JSON) in [
            (.delete, ["collection": "patients", "ids": [Make.id(3), Make.id(4)]]),
            (.upsert, ["collection": "patients", "points": [Make.point(9, [1, 1]), Make.point(1, [1, 1])]]),
            (.updatePayload, ["collection": "patients", "ids": [Make.id(4)], "mode": "PAYLOAD_MODE_CLEAR"]),
            (.updateVectors, ["collection": "patients", "operations": [["id": Make.id(1), "vectors": [Make.vector([3, 3])]]]]),
        ] {
            let error = try refusal(method, request)
            #expect(error.code == .failedPrecondition && error.reason == "LEGAL_HOLD", "\(method): \(error)")
            #expect(error.metadata["hold"] == "case-12" && ["1", "4"].contains(error.metadata["point"]), "\(error)")
        }
        #expect(try refusal(.delete, ["collection": "patients", "ids": [Make.id(2)]]).metadata["hold"] == "case-13")
        #expect(try connection.count("patients") == 6 && connection.point("patients", Make.id(9)) == nil)
        try connection.call(.delete, ["collection": "patients", "ids": [Make.id(3)]])
        #expect(try refusal(.deleteCollection, ["name": "patients"]).reason == "LEGAL_HOLD")

        let released = try connection.call(.releaseLegalHold, ["hold": "case-12", "reason": "settled"])
        #expect(released["releasedAt"] != .null && released["releaseReason"] == "settled")
        try connection.call(.delete, ["collection": "patients", "ids": [Make.id(4)]])
        // A request that comes again places nothing again, and a name is used once.
        #expect(try place("case-13", ["points": [Make.id(2)]], ["requestId": "r-1"])["releasedAt"] == .null)
        #expect(
            try refusal(.placeLegalHold, ["hold": ["name": "case-12", "collection": "patients", "whole": true]]).reason
                == "HOLD_ALREADY_EXISTS")
        let standing = try connection.call(.listLegalHolds, ["standing": true])["holds"].list
        #expect(standing.map { $0["name"] } == ["case-13"])

        let events = try topic.events(atLeast: 3)
        #expect(events.map(\.key) == ["holds/case-12", "holds/case-13", "holds/case-12"])
        #expect(events.map { $0.value["legalHold"]["placed"] } == [true, true, .null])
        #expect(events[0].value["legalHold"]["field"] == "person.id")
        #expect(events[1].value["legalHold"]["points"] == [["number": "2"]])
        #expect(events[2].value["legalHold"]["reason"] == "settled")
    }

    @Test func whatARuleRefusesIsAuditedAsDenied() throws {
        let settings = ["--events.audit", "writes", "--webhooks.private-networks", "refuse"]
        let topic = try GovernanceTopic(settings, collections: ["patients"])
        let connection = topic.connection
        try connection.create("patients", [Make.space(dimension: 2, metric: "L2")], shards: 1)
        try connection.upsert("patients", (1...3).map { Make.point($0, [Float($0), 0]) })
        let hold: JSON = ["name": "case-1", "collection": "patients", "points": [Make.id(1)], "reason": "court order"]
        try connection.call(.placeLegalHold, ["hold": hold])
        let erasure: JSON = ["name": "gdpr-1", "subject": "ticket-1", "collection": "patients", "points": [Make.id(1)]]
        for (method, request, isDenied): (Method, JSON, Bool) in [
            (.delete, ["collection": "patients", "ids": [Make.id(1)]], true),
            (.upsert, ["collection": "patients", "points": [Make.point(1, [5, 5])]], true),
            (.deleteCollection, ["name": "patients"], true),
            (.requestErasure, ["erasure": erasure], true),
            (.createWebhook, ["webhook": ["name": "inside", "url": "https://10.0.0.1/"]], true),
            (.createWebhook, ["webhook": ["name": "wrong", "url": "ftp://example.com/"]], false),
            (.upsert, ["collection": "patients", "points": [Make.point(2, [5])]], false),
        ] {
            let error = try #require(throws: CallError.self) { try connection.call(method, request) }
            #expect(["LEGAL_HOLD", "FORBIDDEN_URL"].contains(error.reason) == isDenied, "\(error)")
        }
        let stream = try connection.open(.upsertStream)
        try stream.send(["open": ["collection": "patients"]])
        for (sequence, vector) in [(1, [5, 5]), (2, [5])] as [(Int, [Float])] {
            try stream.send([
                "item": ["sequence": .number(sequence), "operation": ["upsert": ["point": Make.point(1, vector)]]]
            ])
        }
        try stream.send(["close": [:]])
        while try stream.read() != nil {}
        try stream.finish()
        #expect(topic.server.terminate() == 0)
        try topic.server.restart()

        // Also of the collection, the hold and the points that were made.
        let events = try topic.events(of: "audit", atLeast: 12).map(\.value)
        func told(_ outcome: JSON) -> [String] {
            events.filter { $0["outcome"] == outcome }.map { event in
                let method = event["context"]["method"].string?.split(separator: "/").last ?? ""
                return "\(method) \(event["reason"].string ?? "")"
            }.sorted()
        }
        #expect(
            told("AUDIT_OUTCOME_DENIED") == [
                "CreateWebhook FORBIDDEN_URL", "Delete LEGAL_HOLD", "DeleteCollection LEGAL_HOLD", "RequestErasure LEGAL_HOLD",
                "Upsert LEGAL_HOLD", "UpsertStream LEGAL_HOLD",
            ])
        #expect(
            told("AUDIT_OUTCOME_FAILED") == [
                "CreateWebhook INVALID_URL", "Upsert INVALID_DIMENSION", "UpsertStream INVALID_DIMENSION",
            ])
        #expect(events.count == 12)
    }

    @Test func itemsOfAStreamFailAlone() throws {
        _ = try place("case-1", ["whole": true])
        let stream = try connection.open(.upsertStream)
        try stream.send(["open": ["collection": "patients"]])
        for (sequence, id) in [(1, 1), (2, 50)] {
            try stream.send([
                "item": ["sequence": .number(sequence), "operation": ["upsert": ["point": Make.point(id, [5, 5])]]]
            ])
        }
        try stream.send(["close": [:]])
        var refused: [JSON] = []
        while let answer = try stream.read() {
            if answer["itemError"] != .null { refused.append(answer["itemError"]["sequence"]) }
        }
        try stream.finish()
        #expect(refused == ["1"])
        #expect(try connection.point("patients", Make.id(50)) != nil)
    }
}
