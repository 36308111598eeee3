import TestSupport
import Testing

/// Reading many points: whole, in order, and as of one moment.
@Suite("Reads", .serverOutput)
struct ReadTests {
    private let server: ServerProcess
    private var connection: Connection { server.connection }

    init() throws {
        server = try ServerProcess()
        try server.connection.create("docs", [Make.space(dimension: 2, metric: "L2", index: "flat")], shards: 3)
    }

    private func fill(_ numbers: Range<Int>) throws {
        try connection.upsert("docs", numbers.map { Make.point($0, [Float($0), 1], payload: #"{"n":\#($0)}"#) })
    }

    private func scroll(pageSize: Int, _ betweenPages: () throws -> Void = {}) throws -> [UInt64] {
        var seen: [UInt64] = []
        var token: JSON = ""
        repeat {
            let page = try connection.call(
                .scroll,
                ["collection": "docs", "pageSize": .number(Double(pageSize)), "pageToken": token, "select": ["payload": true]])
            for point in page["points"].list {
                let number = try #require(point["id"]["number"].integer)
                #expect(point["payloadJson"].string == #"{"n":\#(number)}"#)
                seen.append(number)
            }
            #expect(page["points"].list.count <= pageSize)
            token = page["nextPageToken"]
            try betweenPages()
        } while token != ""
        return seen
    }

    @Test(arguments: [1, 7, 100, 1_000])
    func scrollHasEveryPointOnce(_ pageSize: Int) throws {
        try fill(0..<100)
        let seen = try scroll(pageSize: pageSize)
        #expect(seen.count == 100)
        #expect(Set(seen) == Set(0..<100))
        #expect(try scroll(pageSize: 13) == seen)
    }

    @Test func scrollIsStableUnderWrites() throws {
        // 0 to 499 stay throughout; others come, go and change between the pages.
        try fill(0..<500)
        var round = 0
        let seen = try scroll(pageSize: 20) {
            round += 1
            try fill(1_000 + round * 10..<1_010 + round * 10)
            try connection.call(.delete, ["collection": "docs", "ids": .all(0..<5) { Make.id(1_000 + round * 10 + $0) }])
            try fill(round * 7..<round * 7 + 7)
        }
        #expect(Set(seen).count == seen.count)
        #expect(Set(seen).isSuperset(of: 0..<500))
        let deleted = (1...round).flatMap { round in (0..<5).map { UInt64(1_000 + round * 10 + $0) } }
        #expect(Set(seen).isDisjoint(with: deleted))
    }

    @Test func exportIsOfOneMoment() throws {
        try fill(0..<2_000)
        let connection = connection
        let stream = try connection.open(.export, ["collection": "docs", "select": ["payload": true, "vectors": true]])
        let first = try #require(try stream.read())
        // From here on everything changes.
        try connection.call(.delete, ["collection": "docs", "ids": .all(0..<2_000) { Make.id($0) }])
        try fill(5_000..<5_100)
        var points = first["points"].list
        while let part = try stream.read() { points += part["points"].list }
        try stream.finish()
        #expect(Set(points.compactMap { $0["id"]["number"].integer }) == Set(0..<2_000))
        #expect(points.count == 2_000)
        #expect(points.allSatisfy { $0["vectors"].list.count == 1 && $0["version"].integer != 0 })
        #expect(first["positions"].list.count == 3)
        #expect(try connection.count("docs") == 100)
    }

    @Test func anExportCanBeCancelled() throws {
        try connection.upsert(
            "docs",
            (0..<100).map {
                Make.point($0, [0, 1], payload: #"{"text":"\#(String(repeating: "x", count: 100_000))"}"#)
            })
        for _ in 0..<5 {
            let stream = try connection.open(.export, ["collection": "docs", "select": ["payload": true]])
            _ = try stream.read()
            stream.cancel()
            let error = #expect(throws: CallError.self) { try stream.finish() }
            #expect(error?.code == .cancelled)
        }
        #expect(try connection.count("docs") == 100)
    }

    @Test func largePointsMakeShortPages() throws {
        let payload = #"{"text":"\#(String(repeating: "x", count: 1_000_000))"}"#
        for number in 0..<30 { try connection.upsert("docs", [Make.point(number, [0, Float(number)], payload: payload)]) }
        var seen = 0
        var token: JSON = ""
        repeat {
            let page = try connection.call(
                .scroll, ["collection": "docs", "pageToken": token, "select": ["payload": true]])
            seen += page["points"].list.count
            token = page["nextPageToken"]
        } while token != ""
        #expect(seen == 30)
        let stream = try connection.open(.export, ["collection": "docs", "select": ["payload": true]])
        var exported = 0
        while let part = try stream.read() { exported += part["points"].list.count }
        try stream.finish()
        #expect(exported == 30)
    }

    @Test func answersThatWouldBeTooLargeAreRefused() throws {
        let payload = #"{"text":"\#(String(repeating: "x", count: 1_000_000))"}"#
        for number in 0..<20 { try connection.upsert("docs", [Make.point(number, [0, Float(number)], payload: payload)]) }
        let query: JSON = ["query": ["vector": Make.vector([0, 0])], "topK": 20, "select": ["payload": true]]
        var search = query
        search["collection"] = "docs"
        var half = query
        half["topK"] = 10
        let requests: [(Method, JSON)] = [
            (.get, ["collection": "docs", "ids": .all(0..<20) { Make.id($0) }, "select": ["payload": true]]),
            (.search, search), (.searchBatch, ["collection": "docs", "searches": [half, half]]),
        ]
        for (method, request) in requests {
            let error = try #require(throws: CallError.self) { try connection.call(method, request) }
            #expect(error.code == .resourceExhausted && error.reason == "MESSAGE_TOO_LARGE", "\(method): \(error)")
        }
        #expect(try connection.count("docs") == 20)
    }
}
