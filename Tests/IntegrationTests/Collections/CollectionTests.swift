import TestSupport
import Testing

/// Collections and aliases: made, found, changed, figured and deleted, and still there after a restart.
@Suite("Collections", .serverOutput)
struct CollectionTests {
    private let server: ServerProcess
    private var connection: Connection { server.connection }

    init() throws { server = try ServerProcess() }

    @Test func whatIsMadeIsWhatIsFound() throws {
        let made = try connection.create(
            "docs",
            [
                ["name": "text", "dimension": 4, "model": ["id": "mini", "revision": "2"]],
                [
                    "name": "bits", "dimension": 64, "elementType": "ELEMENT_TYPE_BINARY", "metric": "METRIC_JACCARD",
                    "index": ["kind": "flat"],
                ],
            ], shards: 3,
            [
                "description": "Some documents ☃", "labels": ["team": "search"], "durability": "DURABILITY_ACCEPTED",
                "tail": ["policy": "POLICY_INDEXED_ONLY", "maxVectors": 1_000],
                "changeEvents": ["vectors": "VECTORS_FULL", "encoding": "ENCODING_JSON"],
            ])
        #expect(made["vectorSpaces"][0]["elementType"] == "ELEMENT_TYPE_FLOAT32")
        #expect(made["vectorSpaces"][0]["metric"] == "METRIC_COSINE")
        #expect(made["vectorSpaces"][0]["index"]["kind"] == "graph")
        #expect(made["vectorSpaces"][0]["model"] == ["id": "mini", "revision": "2"])
        #expect(made["id"].integer != 0 && made["etag"] != "" && made["createdAt"] == made["updatedAt"])
        #expect(try connection.call(.getCollection, ["name": "docs"]) == made)
        try server.restart()
        #expect(try server.connection.call(.getCollection, ["name": "docs"]) == made)
    }

    @Test func aCheckMakesNothing() throws {
        let collection: JSON = ["name": "docs", "vectorSpaces": [Make.space(dimension: 3)]]
        try connection.call(.createCollection, ["collection": collection, "validateOnly": true])
        #expect(throws: CallError.self) { try connection.call(.getCollection, ["name": "docs"]) }
        try connection.call(.createCollection, ["collection": collection])
    }

    @Test func aListComesInPages() throws {
        let names = (0..<25).map { "c\(10 + $0)" }
        for name in names.shuffled() { try connection.create(name, []) }
        var seen: [JSON] = []
        var token: JSON = ""
        var pages = 0
        repeat {
            let page = try connection.call(.listCollections, ["pageSize": 10, "pageToken": token])
            seen += page["collections"].list.map(\.["name"])
            token = page["nextPageToken"]
            pages += 1
        } while token != ""
        #expect(seen == names.map { .text($0) })
        #expect(pages == 3)
    }

    @Test func changesNeedTheirEtag() throws {
        let made = try connection.create("docs", [Make.space(dimension: 3)])
        let changed = try connection.call(
            .updateCollection,
            [
                "collection": [
                    "name": "docs", "description": "new", "labels": ["a": "b"], "durability": "DURABILITY_ACCEPTED",
                    "tail": ["maxVectors": 7], "changeEvents": ["vectors": "VECTORS_NONE"],
                ], "updateMask": "description,labels,tail,changeEvents", "etag": made["etag"],
            ])
        #expect(changed["description"] == "new" && changed["labels"] == ["a": "b"])
        #expect(changed["tail"]["maxVectors"] == 7 && changed["changeEvents"]["vectors"] == "VECTORS_NONE")
        // Not in the mask.
        #expect(changed["durability"] == "DURABILITY_DURABLE")
        #expect(changed["etag"] != made["etag"])
        let stale: JSON = ["collection": ["name": "docs"], "updateMask": "description", "etag": made["etag"]]
        let error = #expect(throws: CallError.self) { try connection.call(.updateCollection, stale) }
        #expect(error?.reason == "ETAG_MISMATCH")
        try server.restart()
        #expect(try server.connection.call(.getCollection, ["name": "docs"]) == changed)
    }

    @Test func aliasesMoveAtOnce() throws {
        for (name, x) in [("blue", Float(1)), ("green", 2)] {
            try connection.create(name, [Make.space(dimension: 2, metric: "L2")])
            try connection.upsert(name, [Make.point(Make.id(name), [Make.vector([x, 0])])])
        }
        func assign(_ alias: String, _ name: String) -> JSON { ["assign": ["alias": .text(alias), "collection": .text(name)]] }
        try connection.call(.updateAliases, ["actions": [assign("live", "blue"), assign("next", "green")]])
        let connection = connection
        // Readers see one collection or the other, never none.
        let reader = Threads()
        let stream = try connection.open(.watchHealth, [:])
        reader.start {
            for _ in 0..<300 {
                #expect(throws: Never.self) {
                    let found = try connection.search("live", Make.vector([0, 0]))
                    #expect(["blue", "green"].contains(found.first?["id"]["name"].string))
                }
            }
        }
        for round in 0..<50 {
            let live = round % 2 == 0 ? "green" : "blue"
            try connection.call(
                .updateAliases, ["actions": [assign("live", live), ["remove": ["alias": "next"]], assign("next", "blue")]])
        }
        reader.join()
        stream.cancel()
        #expect(try connection.call(.getCollection, ["name": "live"])["name"] == "blue")
        #expect(try connection.call(.getCollection, ["name": "blue"])["aliases"] == ["live", "next"])
        try connection.upsert("live", [Make.point(5, [5, 5])])
        try server.restart()
        #expect(try server.connection.count("live") == 2)
        try server.connection.call(.deleteCollection, ["name": "blue"])
        #expect(throws: CallError.self) { try server.connection.count("live") }
    }

    @Test func figuresFollowTheWrites() throws {
        try connection.create("docs", [Make.space(dimension: 4, metric: "L2")], shards: 2)
        try connection.upsert(
            "docs", (0..<100).map { Make.point($0, [Float($0), 0, 0, 0]) }, ["durability": "DURABILITY_INDEXED"])
        try connection.call(
            .delete, ["collection": "docs", "ids": .all(0..<30) { Make.id($0) }, "durability": "DURABILITY_INDEXED"])
        let stats = try connection.call(.getCollectionStats, ["collection": "docs"])
        #expect(stats["points"].integer == 70)
        let space = stats["vectorSpaces"][0]
        #expect(space["vectors"].integer == 70 && space["deadVectors"].integer == 30)
        #expect(space["linkedVectors"].integer == 100 && space["tailVectors"].integer == 0)
        #expect((space["vectorBytes"].integer ?? 0) >= 100 * 16)
        #expect(stats["shards"].list.map { $0["shard"].integer } == [0, 1])
        #expect(stats["shards"].list.map { $0["position"].integer } == [2, 2])
        #expect(stats["shards"].list.allSatisfy { $0["firstPosition"].integer == 1 && $0["changeLogBytes"].integer != 0 })
        let positions = try connection.call(.getPositions, ["collection": "docs"])
        #expect(positions["earliest"].list.map { $0["position"].integer } == [1, 1])
        #expect(positions["latest"].list.map { $0["position"].integer } == [2, 2])
        #expect(positions["published"].list.isEmpty)
    }

    @Test func aDeletedCollectionLeavesNothingBehind() throws {
        for round in 0..<5 {
            try connection.create("docs", [Make.space(dimension: 3)])
            try connection.upsert("docs", [Make.point(round, [1, 2, 3])])
            #expect(try connection.count("docs") == 1)
            try connection.call(.deleteCollection, ["name": "docs"])
        }
        try server.restart()
        #expect(try server.connection.call(.listCollections, [:])["collections"].list.isEmpty)
    }

    @Test func aCollectionWithoutVectorsHoldsPayloads() throws {
        try connection.create("bare", [])
        try connection.upsert("bare", [Make.point(Make.id(1), [], payload: #"{"a":1}"#)])
        #expect(try connection.point("bare", Make.id(1))?["payloadJson"] == #"{"a":1}"#)
        try server.restart()
        #expect(try server.connection.count("bare") == 1)
    }
}
