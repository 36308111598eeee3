import TestSupport
import Testing

/// Every request that cannot be right gets the documented code, reason and field, and the next one is served.
@Suite("Bad input", .serverOutput)
struct BadInputTests {
    private static let requests =
        BadRequest.creations + BadRequest.collectionChanges + BadRequest.indexChanges + BadRequest.vectors + BadRequest.points
        + BadRequest.operations + BadRequest.searches + BadRequest.reads + BadRequest.webhooks
        + BadRequest.decisions + BadRequest.holds + BadRequest.erasures + BadRequest.retentions + BadRequest.lineage

    private let target: BadInputServer

    init() throws { target = try BadInputServer.shared.get() }

    @Test(arguments: requests)
    func isRefused(_ request: BadRequest) throws {
        let bytes = try request.bytes()
        let error = try #require(throws: CallError.self) { () throws in
            if request.method.isStreaming {
                let stream = try target.connection.open(request.method, timeoutMilliseconds: request.timeoutMilliseconds)
                stream.send(bytes: bytes)
                stream.writesDone()
                try stream.finish()
            } else {
                _ = try target.connection.call(
                    path: request.method.rawValue, bytes, timeoutMilliseconds: request.timeoutMilliseconds)
            }
        }
        #expect(error.code == request.code, "\(error)")
        // The client's own deadline may pass before the server's answer is here; then it has no details.
        if !(request.code == .deadlineExceeded && error.reason.isEmpty) {
            #expect(error.reason == request.reason, "\(error)")
        }
        #expect(error.fields.filter { !$0.isEmpty } == (request.field.isEmpty ? [] : [request.field]), "\(error)")
        try target.checkServes()
    }

    @Test func nothingOfARefusedRequestIsDone() throws {
        let connection = target.connection
        #expect(throws: CallError.self) {
            try connection.upsert("docs", [Make.point(77, [1, 2, 3]), Make.point(78, [0, 0, 0])])
        }
        #expect(try connection.point("docs", Make.id(77)) == nil)
        #expect(try connection.call(.getCollection, ["name": "docs"])["aliases"] == ["papers"])
        try target.checkServes()
    }

    @Test func oneBadSearchOfABatchFailsAlone() throws {
        let answer = try target.connection.call(
            .searchBatch,
            [
                "collection": "docs",
                "searches": [
                    ["query": ["vector": Make.vector([1, 0, 0])]], ["query": ["vector": Make.vector([1, 0])]],
                    ["query": ["vector": Make.vector([0, 1, 0])], "topK": 10_001],
                    ["collection": "nowhere", "query": ["vector": Make.vector([0, 1, 0])]],
                    ["query": ["vector": Make.vector([0, 1, 0])], "minPositions": [["shard": 0, "position": "1"]]],
                ],
            ])
        let codes = answer["outcomes"].list.map { $0["status"]["code"].integer ?? 0 }
        let invalid = UInt64(StatusCode.invalidArgument.rawValue)
        #expect(codes == [0, invalid, invalid, UInt64(StatusCode.notFound.rawValue), invalid])
        #expect(answer["outcomes"][0]["response"]["results"].list.count == 2)
        try target.checkServes()
    }

    @Test func methodsThatAreNotThereAreUnimplemented() throws {
        for path in ["/kith.v1.PointService/Explode", "/kith.v2.PointService/Upsert", "/", "/kith.v1.PointService/"] {
            let error = try #require(throws: CallError.self) { try target.connection.call(path: path, []) }
            #expect(error.code == .unimplemented, "\(path): \(error)")
        }
        try target.checkServes()
    }

    @Test func idsThatOnlyLookAlikeAreDifferentPoints() throws {
        let composed = "caf\u{E9}"
        let decomposed = "cafe\u{301}"
        let connection = target.connection
        try connection.create("names", [Make.space(dimension: 2, metric: "L2")])
        let answer = try connection.upsert(
            "names",
            [Make.point(Make.id(composed), [Make.vector([1, 1])]), Make.point(Make.id(decomposed), [Make.vector([2, 2])])])
        #expect(answer["outcomes"].list.map(\.["result"]) == ["RESULT_CREATED", "RESULT_CREATED"])
        #expect(try connection.count("names") == 2)
        try connection.call(.delete, ["collection": "names", "ids": [Make.id(composed)]])
        let left = try connection.search("names", Make.vector([1, 1]))
        #expect(left.map { Array(($0["id"]["name"].string ?? "").utf8) } == [Array(decomposed.utf8)])
    }
}
