import Foundation
import TestSupport
import Testing

/// Searching, one at a time, many at once and over time.
@Suite("Searches", .serverOutput)
struct SearchTests {
    private static let dimension = 16
    private let server: ServerProcess
    private let vectors: [PointKey: [Float]]
    private var connection: Connection { server.connection }

    init() throws {
        server = try ServerProcess()
        var random = SeededGenerator(seed: 41)
        var vectors: [PointKey: [Float]] = [:]
        try server.connection.create("docs", [Make.space(dimension: SearchTests.dimension, metric: "L2")], shards: 2)
        for start in stride(from: 0, to: 3_000, by: 500) {
            let points = (start..<start + 500).map { number in
                let vector = random.floats(SearchTests.dimension)
                vectors[PointKey(number)] = vector
                return Make.point(number, vector, payload: #"{"n":\#(number)}"#)
            }
            try server.connection.upsert("docs", points)
        }
        self.vectors = vectors
    }

    private func keys(_ results: [JSON]) -> [PointKey] { results.compactMap { $0["id"]["number"].integer }.map(PointKey.init) }

    private func query(_ vector: [Float], _ more: [String: JSON] = [:]) -> JSON {
        var query: JSON = ["collection": "docs", "query": ["vector": Make.vector(vector)]]
        for (field, value) in more { query[field] = value }
        return query
    }

    @Test func recallAndEffort() throws {
        var random = SeededGenerator(seed: 42)
        var recall = Recall()
        var greatRecall = Recall()
        for _ in 0..<50 {
            let vector = random.floats(SearchTests.dimension)
            let nearest = BruteForce.nearest(10, to: vector, in: vectors).map(\.key)
            recall.add(found: keys(try connection.search("docs", Make.vector(vector))), nearest: nearest)
            let great = try connection.search("docs", Make.vector(vector), ["parameters": ["effort": 1_000]])
            greatRecall.add(found: keys(great), nearest: nearest)
            let exact = try connection.search("docs", Make.vector(vector), ["parameters": ["exact": true]])
            #expect(keys(exact) == nearest)
            let complete = try connection.search("docs", Make.vector(vector), ["parameters": ["recallTarget": 1]])
            #expect(keys(complete) == nearest)
        }
        #expect(recall.share >= 0.95)
        #expect(greatRecall.share >= 0.99)
    }

    @Test func topKThresholdsAndParts() throws {
        let vector = [Float](repeating: 0.1, count: SearchTests.dimension)
        let all = BruteForce.nearest(3_000, to: vector, in: vectors)
        let exact: [String: JSON] = ["parameters": ["exact": true]]
        let everything = try connection.search("docs", Make.vector(vector), exact.merging(["topK": 10_000]) { $1 })
        #expect(everything.count == 3_000)
        #expect(keys(try connection.search("docs", Make.vector(vector), exact.merging(["topK": 1]) { $1 })) == [all[0].key])
        let threshold = Double(all[99].distance.squareRoot()) + 1e-5
        let near = try connection.search(
            "docs", Make.vector(vector), exact.merging(["topK": 1_000, "scoreThreshold": .number(threshold)]) { $1 })
        #expect(near.count == 100)
        let bare = try #require(near.first)
        #expect(bare["payloadJson"] == "" && bare["vectors"].list.isEmpty && bare["version"].integer != 0)
        let full = try connection.search("docs", Make.vector(vector), ["select": ["payload": true, "vectors": true], "topK": 3])
        for result in full {
            #expect(result["payloadJson"].string == #"{"n":\#(result["id"]["number"].integer ?? 0)}"#)
            #expect(result["vectors"].list.count == 1)
        }
    }

    @Test func scoresAreTransformedAndStayInOrder() throws {
        let vector = Make.vector([Float](repeating: 0.1, count: SearchTests.dimension))
        let exact: [String: JSON] = ["parameters": ["exact": true], "topK": 50]
        let plain = try connection.search("docs", vector, exact)
        let distances = plain.compactMap(\.["score"].double)
        let transforms: [(JSON, (Double) -> Double)] = [
            (["function": "NORMALIZED"], { 1 / (1 + $0) }),
            (["function": "RECIPROCAL", "scale": 2, "offset": 1], { 1 / (2 + 2 * $0) }),
            (["function": "LINEAR", "scale": -1], { -$0 }),
            (["function": "EXPONENTIAL", "scale": -0.5], { exp(-0.5 * $0) }),
            (["function": "LOGISTIC", "scale": -3, "offset": 2], { 1 / (1 + exp(3 * $0 - 2)) }),
        ]
        for (transform, expected) in transforms {
            let wanted = exact.merging(["scoreTransform": transform]) { $1 }
            let found = try connection.search("docs", vector, wanted)
            #expect(keys(found) == keys(plain))
            let scores = found.compactMap(\.["score"].double)
            #expect(zip(scores, distances).allSatisfy { abs($0 - expected($1)) < 1e-5 }, "\(transform)")
            // Greater is nearer in all of these: a threshold keeps what is not below it.
            let near = try connection.search(
                "docs", vector, wanted.merging(["scoreThreshold": .number(scores[9] - 1e-6)]) { $1 })
            #expect(keys(near) == Array(keys(plain).prefix(10)), "\(transform)")
        }
    }

    @Test func aPointAsTheQueryIsNotItsOwnNeighbour() throws {
        let vector = try #require(vectors[PointKey(7)])
        let others = BruteForce.nearest(11, to: vector, in: vectors).map(\.key).dropFirst()
        let answer = try connection.call(
            .search, ["collection": "docs", "query": ["pointId": Make.id(7)], "parameters": ["exact": true]])
        #expect(keys(answer["results"].list) == Array(others))
    }

    @Test func whatIsDeletedOrReplacedIsNotFound() throws {
        let vector = try #require(vectors[PointKey(7)])
        #expect(keys(try connection.search("docs", Make.vector(vector), ["topK": 1])) == [PointKey(7)])
        try connection.upsert("docs", [Make.point(7, vector.map { $0 + 5 })])
        #expect(keys(try connection.search("docs", Make.vector(vector), ["topK": 1])) != [PointKey(7)])
        #expect(keys(try connection.search("docs", Make.vector(vector.map { $0 + 5 }), ["topK": 1])) == [PointKey(7)])
        try connection.call(.delete, ["collection": "docs", "ids": [Make.id(7)]])
        #expect(!keys(try connection.search("docs", Make.vector(vector.map { $0 + 5 }), ["topK": 500])).contains(PointKey(7)))
    }

    @Test func aBatchAnswersInOrder() throws {
        var random = SeededGenerator(seed: 43)
        let queries = (0..<200).map { _ in random.floats(SearchTests.dimension) }
        let answer = try connection.call(
            .searchBatch,
            [
                "collection": "docs",
                "searches": .all(queries) { ["query": ["vector": Make.vector($0)], "parameters": ["exact": true]] },
            ])
        #expect(answer["outcomes"].list.count == queries.count)
        for (query, outcome) in zip(queries, answer["outcomes"].list) {
            #expect(keys(outcome["response"]["results"].list) == BruteForce.nearest(10, to: query, in: vectors).map(\.key))
        }
    }

    @Test func eachOfABatchFailsAlone() throws {
        var random = SeededGenerator(seed: 45)
        let queries = (0..<100).map { _ in random.floats(SearchTests.dimension) }
        let answer = try connection.call(
            .searchBatch,
            [
                "searches": .all(queries.enumerated()) { place, vector in
                    switch place % 3 {
                    case 0: query(vector, ["parameters": ["exact": true], "topK": .number(1 + place % 20)])
                    case 1: query([1, 2])
                    default: ["collection": "docs", "query": ["pointId": Make.id(1_000_000 + place)]]
                    }
                }
            ])
        #expect(answer["outcomes"].list.count == queries.count)
        for (place, outcome) in answer["outcomes"].list.enumerated() {
            let code = outcome["status"]["code"].integer
            switch place % 3 {
            case 0:
                let nearest = BruteForce.nearest(1 + place % 20, to: queries[place], in: vectors).map(\.key)
                #expect(keys(outcome["response"]["results"].list) == nearest)
            case 1: #expect(code == UInt64(StatusCode.invalidArgument.rawValue))
            default: #expect(code == UInt64(StatusCode.notFound.rawValue))
            }
        }
    }

    @Test(arguments: [1, 40])
    func aBatchOfNothingButMissingPointsFails(count: Int) throws {
        let answer = try connection.call(
            .searchBatch,
            ["collection": "docs", "searches": .all(0..<count) { ["query": ["pointId": Make.id(1_000_000 + $0)]] }])
        #expect(
            answer["outcomes"].list.map { $0["status"]["code"].integer }
                == Array(repeating: UInt64(StatusCode.notFound.rawValue), count: count))
    }

    @Test func aStreamAnswersEachTagOnce() throws {
        var random = SeededGenerator(seed: 44)
        let queries = (0..<600).map { _ in random.floats(SearchTests.dimension) }
        let stream = try connection.open(.searchStream)
        let messages = try queries.enumerated().map { tag, vector -> JSON in
            // Every fiftieth is wrong, and fails alone.
            let search = tag % 50 == 0 ? query([1, 2]) : query(vector, ["parameters": ["exact": true], "topK": 1])
            return ["tag": .number(tag), "search": search]
        }.map { try Message.encode($0, as: Method.searchStream.requestType) }
        let writer = Threads()
        writer.start {
            for message in messages { stream.send(bytes: message) }
            stream.writesDone()
        }
        var seen: Set<UInt64> = []
        while let answer = try stream.read() {
            let tag = try #require(answer["tag"].integer)
            #expect(seen.insert(tag).inserted)
            if tag % 50 == 0 {
                #expect(answer["outcome"]["status"]["code"].integer == UInt64(StatusCode.invalidArgument.rawValue))
            } else {
                let found = keys(answer["outcome"]["response"]["results"].list)
                #expect(found == BruteForce.nearest(1, to: queries[Int(tag)], in: vectors).map(\.key))
            }
        }
        writer.join()
        try stream.finish()
        #expect(seen.count == queries.count)
    }

    @Test func everyAcknowledgedWriteIsFoundAtOnce() throws {
        let connection = connection
        Threads.run(4) { thread in
            var random = SeededGenerator(seed: UInt64(thread))
            for round in 0..<100 {
                let vector = random.floats(SearchTests.dimension)
                let id = 10_000 + thread
                #expect(throws: Never.self) {
                    try connection.upsert("docs", [Make.point(id, vector)], ["durability": "DURABILITY_ACCEPTED"])
                    let found = try connection.search("docs", Make.vector(vector), ["topK": 1])
                    #expect(found.first?["id"]["number"].integer == UInt64(id), "round \(round)")
                    #expect((found.first?["score"].double ?? 1) < 1e-3)
                }
            }
        }
    }

    @Test func aSearchThatIsGivenUpEndsAndOthersGoOn() throws {
        // As much work as one call may hold: no deadline of a millisecond is met.
        let searches = JSON.all(0..<1_000) { _ in
            query([Float](repeating: 0.1, count: SearchTests.dimension), ["topK": 3_000, "parameters": ["exact": true]])
        }
        for _ in 0..<3 {
            do {
                // Or the server says of each search that it came too late, just before the client gives up.
                let answer = try connection.call(.searchBatch, ["searches": searches], timeoutMilliseconds: 5)
                #expect(answer["outcomes"].list.last?["status"]["code"].integer == UInt64(StatusCode.deadlineExceeded.rawValue))
            } catch let error as CallError { #expect(error.code == .deadlineExceeded) }
        }
        for _ in 0..<10 {
            let stream = try connection.open(.searchStream)
            for tag in 0..<100 {
                try stream.send([
                    "tag": .number(tag),
                    "search": query(
                        [Float](repeating: 0.1, count: SearchTests.dimension), ["topK": 1_000, "parameters": ["exact": true]]),
                ])
            }
            stream.cancel()
            let error = #expect(throws: CallError.self) { try stream.finish() }
            #expect(error?.code == .cancelled)
        }
        #expect(try connection.search("docs", Make.vector([Float](repeating: 0, count: SearchTests.dimension))).count == 10)
    }
}
