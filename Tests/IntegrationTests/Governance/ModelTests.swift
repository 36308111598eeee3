import TestSupport
import Testing

/// Models and classifications: kept over restarts, and told in order.
@Suite("Models and classifications", .serverOutput)
struct ModelTests {
    private let topic: GovernanceTopic

    init() throws {
        topic = try GovernanceTopic()
        try topic.connection.create("patients", [Make.space(dimension: 2, metric: "L2")])
    }

    private func register(_ id: String, _ revision: String, owner: String, request: String = "") throws -> JSON {
        try topic.connection.call(
            .registerModel,
            [
                "model": [
                    "id": .text(id), "revision": .text(revision), "owner": .text(owner), "dimension": 384,
                    "licence": "apache-2.0",
                    "labels": ["team": "search"],
                ], "requestId": .text(request),
            ])
    }

    private func classify(_ field: String, _ word: String, _ labels: [JSON] = []) throws -> JSON {
        try topic.connection.call(
            .setClassification,
            ["collection": "patients", "field": .text(field), "classification": .text(word), "labels": .list(labels)])
    }

    private func models() throws -> [String] {
        let page = try topic.connection.call(.listModels, [:])
        return page["models"].list.map { "\($0["id"].string ?? "")@\($0["revision"].string ?? "") \($0["owner"].string ?? "")" }
    }

    @Test func decisionsAreKeptAndToldInOrder() throws {
        let first = try register("minilm", "2", owner: "search", request: "r-1")
        #expect(first["dimension"] == 384 && first["registeredAt"].string?.isEmpty == false)
        // The same again changes nothing; another owner does, and the first request does not come back.
        #expect(try register("minilm", "2", owner: "search") == first)
        #expect(try register("minilm", "2", owner: "platform", request: "r-2")["owner"] == "platform")
        #expect(try register("minilm", "2", owner: "search", request: "r-1")["owner"] == "platform")
        _ = try register("ada", "", owner: "search")
        _ = try classify("", "internal")
        _ = try classify("person.name", "restricted", ["pii", "health"])
        _ = try classify("person.name", "restricted", ["pii", "health"])
        _ = try classify("", "")

        let error = try #require(throws: CallError.self) { try register("ada", "", owner: "x", request: "r-1") }
        #expect(error.reason == "INVALID_VALUE" && error.fields == ["request_id"])

        topic.server.kill()
        try topic.server.restart()
        #expect(try models() == ["ada@ search", "minilm@2 platform"])
        #expect(try register("minilm", "2", owner: "search", request: "r-1")["owner"] == "platform")
        let kept = try topic.connection.call(.listClassifications, ["collection": "patients"])["classifications"].list
        #expect(kept.map { $0["field"] } == ["person.name"] && kept[0]["labels"] == ["pii", "health"])

        let events = try topic.events(atLeast: 6)
        #expect(
            events.map { "\($0.type.split(separator: ".")[3]) \($0.key)" } == [
                "model_registered models/minilm@2", "model_registered models/minilm@2", "model_registered models/ada",
                "classified collections/patients", "classified collections/patients/fields/person.name",
                "classified collections/patients",
            ])
        #expect(
            events.map { $0.value["source"]["requestId"] } == ["r-1", "r-2", "", "", "", ""].map { $0 == "" ? .null : .text($0) })
        #expect(events[1].value["modelRegistered"]["owner"] == "platform")
        #expect(events[4].value["classified"]["labels"] == ["pii", "health"])
        #expect(events[5].value["classified"]["classification"] == .null)
        let positions = events.compactMap { $0.value["source"]["position"].integer }
        #expect(positions.count == 6 && positions == positions.sorted())
    }

    @Test func aCollectionOfTheSameNameInheritsNothing() throws {
        _ = try classify("name", "restricted")
        try topic.connection.call(.deleteCollection, ["name": "patients"])
        try topic.connection.create("patients", [Make.space(dimension: 2, metric: "L2")])
        #expect(try topic.connection.call(.listClassifications, [:])["classifications"].list.isEmpty)
    }

    @Test func listsComeInPages() throws {
        for number in 0..<7 { _ = try register("m\(number)", "", owner: "") }
        var found: [String?] = []
        var token: JSON = ""
        repeat {
            let page = try topic.connection.call(.listModels, ["pageSize": 3, "pageToken": token])
            found += page["models"].list.map { $0["id"].string }
            token = page["nextPageToken"]
        } while token != ""
        #expect(found == (0..<7).map { "m\($0)" })
    }
}
