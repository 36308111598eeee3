import TestSupport
import Testing

/// Every element type under every metric that compares it, through either index, against plain arithmetic.
@Suite("Element types and metrics", .serverOutput)
struct ElementTypeTests {
    private static let points = 400
    private let server: ServerProcess

    init() throws { server = try ServerProcess() }

    @Test(arguments: Element.all.map(\.name))
    func scoresAreThoseOfTheProtos(_ name: String) throws {
        let element = try #require(Element.all.first { $0.name == name })
        var random = SeededGenerator(seed: 31)
        // Odd, so that no kernel ends on a whole register.
        let components = element.isBinary ? 9 : 37
        let vectors = (0..<ElementTypeTests.points).map { _ in element.vector(components, &random) }
        let spaces = element.metrics.flatMap { metric in
            ["flat", "graph"].map { index in
                Make.space(
                    "\(metric)-\(index)", dimension: element.isBinary ? components * 8 : components, element: element.name,
                    metric: metric, index: index)
            }
        }
        try server.connection.create("vectors", spaces, shards: 2)
        try server.connection.upsert(
            "vectors",
            vectors.enumerated().map { number, vector in
                Make.point(Make.id(number), spaces.map { Make.vector(bytes: vector.bytes, space: $0["name"].string ?? "") })
            }, ["durability": "DURABILITY_INDEXED"])
        for metric in element.metrics {
            for _ in 0..<5 {
                let query = element.vector(components, &random)
                let scores = vectors.map { score(metric, $0.numbers, query.numbers) }
                let isBestFirst = metric == "COSINE" || metric == "DOT"
                let best = isBestFirst ? scores.sorted(by: >) : scores.sorted()
                try check("\(metric)-flat", query.bytes, scores, Array(best.prefix(10)), exact: false)
                try check("\(metric)-graph", query.bytes, scores, Array(best.prefix(10)), exact: true)
                try check("\(metric)-graph", query.bytes, scores, nil, exact: false)
            }
        }
    }

    /// Each result has the score that arithmetic gives it; and, where `best` is given, there are none better. Ties may be in any order.
    private func check(_ space: String, _ query: [UInt8], _ scores: [Double], _ best: [Double]?, exact: Bool) throws {
        let found = try server.connection.search(
            "vectors", Make.vector(bytes: query), ["vectorSpace": .text(space), "parameters": ["exact": .bool(exact)]])
        #expect(found.count == 10)
        for (place, result) in found.enumerated() {
            let number = try #require(result["id"]["number"].integer)
            let score = try #require(result["score"].double)
            let tolerance = 1e-4 * max(1, abs(scores[Int(number)]))
            #expect(abs(score - scores[Int(number)]) <= tolerance, "\(space): point \(number)")
            if let best { #expect(abs(score - best[place]) <= tolerance, "\(space): place \(place)") }
        }
    }

    @Test func vectorsComeBackAsTheyWent() throws {
        var random = SeededGenerator(seed: 32)
        for element in Element.all {
            let vector = element.vector(4, &random)
            let name = "v-\(element.name.lowercased())"
            try server.connection.create(
                name,
                [
                    Make.space(
                        dimension: element.isBinary ? 32 : 4, element: element.name, metric: element.isBinary ? "HAMMING" : "L2")
                ])
            try server.connection.upsert(name, [Make.point(Make.id(1), [Make.vector(bytes: vector.bytes)])])
            #expect(try server.connection.point(name, Make.id(1))?["vectors"][0]["data"] == .bytes(vector.bytes))
            if element.isBinary { continue }
            // The same as floats, converted by the server.
            try server.connection.upsert(name, [Make.point(Make.id(2), [Make.vector(vector.numbers.map { Float($0) })])])
            #expect(
                try server.connection.point(name, Make.id(2))?["vectors"][0]["data"] == .bytes(vector.bytes), "\(element.name)")
        }
    }
}
