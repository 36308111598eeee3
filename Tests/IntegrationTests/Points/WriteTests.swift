import TestSupport
import Testing

/// Every way of writing, and what it answers.
@Suite("Writes", .serverOutput)
struct WriteTests {
    private let server: ServerProcess
    private var connection: Connection { server.connection }

    init() throws {
        server = try ServerProcess()
        try server.connection.create("docs", [Make.space(dimension: 2, metric: "L2")])
    }

    private func outcomes(_ answer: JSON) -> [JSON] { answer["outcomes"].list.map(\.["result"]) }
    private func errors(_ answer: JSON) -> [JSON] { answer["outcomes"].list.map(\.["error"]) }

    @Test func modes() throws {
        let point = Make.point(1, [1, 2])
        let insert: [String: JSON] = ["mode": "WRITE_MODE_INSERT_ONLY"]
        let update: [String: JSON] = ["mode": "WRITE_MODE_UPDATE_ONLY"]
        #expect(errors(try connection.upsert("docs", [point], update)) == ["POINT_NOT_FOUND"])
        #expect(outcomes(try connection.upsert("docs", [point], insert)) == ["RESULT_CREATED"])
        #expect(errors(try connection.upsert("docs", [point], insert)) == ["POINT_ALREADY_EXISTS"])
        #expect(outcomes(try connection.upsert("docs", [point], update)) == ["RESULT_UPDATED"])
        #expect(outcomes(try connection.upsert("docs", [point])) == ["RESULT_UPDATED"])
        // What fails leaves the others of its request alone.
        let mixed = try connection.upsert("docs", [point, Make.point(2, [3, 4])], insert)
        #expect(outcomes(mixed) == ["RESULT_FAILED", "RESULT_CREATED"])
    }

    @Test func conditionsOnVersions() throws {
        let first = try connection.upsert("docs", [Make.point(1, [1, 2])], ["ifVersion": "0"])
        let version = try #require(first["outcomes"][0]["version"].integer)
        #expect(errors(try connection.upsert("docs", [Make.point(1, [9, 9])], ["ifVersion": "0"])) == ["VERSION_MISMATCH"])
        let second = try connection.upsert("docs", [Make.point(1, [3, 4])], ["ifVersion": .number(version)])
        let next = try #require(second["outcomes"][0]["version"].integer)
        #expect(next > version)
        let late = try connection.call(.delete, ["collection": "docs", "ids": [Make.id(1)], "ifVersion": .number(version)])
        #expect(errors(late) == ["VERSION_MISMATCH"])
        #expect(late["outcomes"][0]["version"].integer == next)
        let gone = try connection.call(.delete, ["collection": "docs", "ids": [Make.id(1)], "ifVersion": .number(next)])
        #expect(outcomes(gone) == ["RESULT_DELETED"])
        // A point made again never has a version that it had before.
        let again = try connection.upsert("docs", [Make.point(1, [1, 2])])
        #expect((again["outcomes"][0]["version"].integer ?? 0) > next)
    }

    @Test func aRepeatedRequestIsNotDoneAgain() throws {
        let create: [String: JSON] = ["requestId": "once"]
        let points = [Make.point(1, [1, 2]), Make.point(2, [1, 2])]
        let first = try connection.upsert("docs", points, create)
        try connection.call(.delete, ["collection": "docs", "ids": [Make.id(1)]])
        let again = try connection.upsert("docs", points, create)
        #expect(again["replayed"].isTrue && !first["replayed"].isTrue)
        #expect(again["outcomes"] == first["outcomes"])
        #expect(again["positions"] == first["positions"])
        #expect(try connection.point("docs", Make.id(1)) == nil)
        try server.restart()
        #expect(try server.connection.upsert("docs", points, create)["replayed"].isTrue)
        #expect(try server.connection.count("docs") == 1)
        let error = #expect(throws: CallError.self) { try server.connection.upsert("docs", [Make.point(1, [1, 2])], create) }
        #expect(error?.reason == "INVALID_VALUE" && error?.fields == ["request_id"])
    }

    @Test func theSameRequestFromManyThreadsIsDoneOnce() throws {
        let connection = connection
        Threads.run(8) { _ in
            for round in 0..<20 {
                #expect(throws: Never.self) {
                    try connection.upsert(
                        "docs", [Make.point(round, [1, 2])], ["requestId": .text("r\(round)"), "mode": "WRITE_MODE_INSERT_ONLY"])
                }
            }
        }
        let positions = try connection.call(.getPositions, ["collection": "docs"])
        #expect(positions["latest"][0]["position"].integer == 20)
    }

    @Test(arguments: ["ACCEPTED", "DURABLE", "INDEXED"])
    func durabilities(_ durability: String) throws {
        let points = (0..<300).map { Make.point($0, [Float($0), 1]) }
        let level: JSON = .text("DURABILITY_\(durability)")
        try connection.upsert("docs", points, ["durability": level])
        // Searchable at once, whatever the level.
        #expect(try connection.search("docs", Make.vector([299, 1])).first?["id"]["number"].integer == 299)
        if durability == "INDEXED" {
            let stats = try connection.call(.getCollectionStats, ["collection": "docs"])
            #expect(stats["vectorSpaces"][0]["tailVectors"].integer == 0)
            #expect(stats["vectorSpaces"][0]["linkedVectors"].integer == 300)
        }
        try server.restart()
        #expect(try server.connection.count("docs") == 300)
    }

    @Test func payloadModes() throws {
        func change(_ mode: String, _ payload: String = "", keys: [JSON] = []) throws -> String? {
            try connection.call(
                .updatePayload,
                [
                    "collection": "docs", "ids": [Make.id(1)], "mode": .text("PAYLOAD_MODE_\(mode)"),
                    "payloadJson": .text(payload),
                    "keys": .list(keys),
                ])
            return try connection.point("docs", Make.id(1))?["payloadJson"].string
        }
        try connection.upsert("docs", [Make.point(1, [1, 2], payload: #"{"a":1,"b":{"x":1,"y":2}}"#)])
        #expect(try change("SET", #"{"b":{"z":3},"c":"é"}"#) == #"{"a":1,"b":{"z":3},"c":"é"}"#)
        #expect(try change("MERGE", #"{"b":{"w":4,"z":null},"a":null}"#) == #"{"b":{"w":4},"c":"é"}"#)
        #expect(try change("DELETE_KEYS", keys: ["b", "nothing"]) == #"{"c":"é"}"#)
        #expect(try change("REPLACE", #"{"new":[1,2]}"#) == #"{"new":[1,2]}"#)
        #expect(try change("CLEAR") == "")
        #expect(try connection.point("docs", Make.id(1))?["vectors"].list.count == 1)
        let missing = try connection.call(
            .updatePayload, ["collection": "docs", "ids": [Make.id(1), Make.id(2)], "mode": "PAYLOAD_MODE_CLEAR"])
        #expect(errors(missing) == ["", "POINT_NOT_FOUND"])
    }

    @Test func vectorsOfSeveralSpaces() throws {
        try connection.create(
            "pairs", [Make.space("text", dimension: 2, metric: "L2"), Make.space("image", dimension: 3, metric: "DOT")])
        let id = Make.id("both")
        try connection.upsert("pairs", [Make.point(id, [Make.vector([1, 2], space: "text")], payload: #"{"k":1}"#)])
        try connection.call(
            .updateVectors,
            ["collection": "pairs", "operations": [["id": id, "vectors": [Make.vector([3, 4, 5], space: "image")]]]])
        #expect(try connection.point("pairs", id)?["vectors"].list.map(\.["space"]) == ["text", "image"])
        let found = try connection.search("pairs", Make.vector([1, 1, 1]), ["vectorSpace": "image"])
        #expect(found.first?["score"].double == 12)
        try connection.call(.updateVectors, ["collection": "pairs", "operations": [["id": id, "removeSpaces": ["text"]]]])
        let left = try connection.point("pairs", id)
        #expect(left?["vectors"].list.map(\.["space"]) == ["image"])
        #expect(left?["payloadJson"] == #"{"k":1}"#)
        #expect(try connection.search("pairs", Make.vector([1, 2]), ["vectorSpace": "text"]).isEmpty)
    }

    @Test func mixedOperationsAreDecidedInOrder() throws {
        let answer = try connection.call(
            .batchWrite,
            [
                "collection": "docs",
                "operations": [
                    ["upsert": ["point": Make.point(1, [1, 2]), "mode": "WRITE_MODE_INSERT_ONLY"]],
                    ["updatePayload": ["id": Make.id(1), "mode": "PAYLOAD_MODE_SET", "payloadJson": #"{"n":1}"#]],
                    ["upsert": ["point": Make.point(1, [1, 2]), "mode": "WRITE_MODE_INSERT_ONLY"]],
                    ["delete": ["id": Make.id(1)]], ["delete": ["id": Make.id(1)]],
                    ["upsert": ["point": Make.point(1, [5, 6]), "ifVersion": "0"]],
                ],
            ])
        #expect(
            outcomes(answer) == [
                "RESULT_CREATED", "RESULT_UPDATED", "RESULT_FAILED", "RESULT_DELETED", "RESULT_NOT_FOUND", "RESULT_CREATED",
            ])
        #expect(answer["positions"].list.count == 1)
        #expect(try connection.search("docs", Make.vector([5, 6])).map { $0["score"].double } == [0])
    }

    @Test func everyFormOfID() throws {
        let ids: [JSON] = [
            Make.id(0), Make.id(UInt64.max), ["uuid": .bytes([UInt8](0..<16))], Make.id("0"), Make.id("naïve ☃"),
            Make.id(String(repeating: "n", count: 256)),
        ]
        try connection.upsert("docs", ids.enumerated().map { Make.point($1, [Make.vector([Float($0), 0])]) })
        for (index, id) in ids.enumerated() {
            let found = try connection.search("docs", Make.vector([Float(index), 0]), ["topK": 1])
            #expect(found.first?["id"] == id || found.first?["id"]["number"].integer == id["number"].integer)
        }
        let answer = try connection.call(.get, ["collection": "docs", "ids": .list(ids.reversed() + [Make.id("1")])])
        #expect(answer["points"].list.count == ids.count)
        #expect(answer["missing"] == [Make.id("1")])
    }

    @Test func severalShardsActAsOne() throws {
        try connection.create("wide", [Make.space(dimension: 2, metric: "L2")], shards: 7)
        let answer = try connection.upsert("wide", (0..<500).map { Make.point($0, [Float($0), 0], payload: #"{"n":\#($0)}"#) })
        #expect(answer["positions"].list.map { $0["shard"].integer } == [0, 1, 2, 3, 4, 5, 6])
        #expect(outcomes(answer) == [JSON](repeating: "RESULT_CREATED", count: 500))
        let found = try connection.search("wide", Make.vector([250, 0]), ["topK": 5, "select": ["payload": true]])
        #expect(Set(found.map { $0["id"]["number"].integer }) == [248, 249, 250, 251, 252])
        #expect(found.first?["payloadJson"] == #"{"n":250}"#)
        #expect(try connection.count("wide") == 500)
        try connection.call(.delete, ["collection": "wide", "ids": .all(0..<250) { Make.id($0) }])
        try server.restart()
        #expect(try server.connection.count("wide") == 250)
        #expect(try server.connection.search("wide", Make.vector([0, 0])).first?["id"]["number"].integer == 250)
    }

    @Test func aReadCanDemandAWrite() throws {
        let connection = connection
        // The read waits for a commit that is yet to come.
        let threads = Threads()
        threads.start {
            #expect(throws: Never.self) {
                let answer = try connection.call(
                    .get, ["collection": "docs", "ids": [Make.id(9)], "minPositions": [["shard": 0, "position": "3"]]])
                #expect(answer["points"].list.count == 1)
                let found = try connection.search(
                    "docs", Make.vector([9, 9]), ["minPositions": [["shard": 0, "position": "3"]]])
                #expect(found.first?["id"]["number"].integer == 9)
            }
        }
        for number in 7...9 { try connection.upsert("docs", [Make.point(number, [Float(number), 9])]) }
        threads.join()
    }
}
