import Foundation
import TestSupport
import Testing

/// Every kind of index, by every way to compare, is made, filled, searched and deleted from over the wire, against plain arithmetic.
@Suite("Index kinds", .serverOutput)
struct IndexKindTests {
    private static let kinds = [
        "disk_graph", "flat", "graph", "ivf_binary", "ivf_flat", "ivf_opq", "ivf_pq", "ivf_rabitq", "ivf_scalar",
    ]
    private static let dimension = 12
    private static let points = 3_000
    /// So little that graphs are walked, and some lists are passed over.
    private static let parameters: JSON = ["effort": 25]

    /// What a space compares by: its metric, or what its index's parameters name in its place.
    private enum Comparison: String, CaseIterable {
        case l2, chebyshev, mahalanobis
        /// By a matrix that the server learns: what is nearest only it can say.
        case learned

        var parameters: [String: String] {
            switch self {
            case .l2: [:]
            case .chebyshev: ["metric": "chebyshev"]
            case .mahalanobis: ["mahalanobis": Data(Comparison.matrix.flatMap { $0.flatMap(bytes) }).base64EncodedString()]
            case .learned: ["mahalanobis": "learned"]
            }
        }

        /// Scores are roots of what is compared, as those of L2 are; nil: unknown here.
        func score(_ left: [Float], _ right: [Float]) -> Double? {
            let difference = zip(left, right).map { Double($0) - Double($1) }
            func product(_ one: [Double]) -> Double { zip(one, difference).reduce(0) { $0 + $1.0 * $1.1 } }
            switch self {
            case .l2: return product(difference).squareRoot()
            case .chebyshev: return (difference.map(abs).max() ?? 0).squareRoot()
            case .mahalanobis: return product(Comparison.matrix.map { product($0.map(Double.init)) }).squareRoot()
            case .learned: return nil
            }
        }

        /// Its diagonal outweighs the rest: so it is positive definite.
        private static let matrix: [[Float]] = (0..<dimension).map { row in
            var values = [Float](repeating: 0, count: dimension)
            values[row] = 1 + Float(row % 4)
            for column in [row - 1, row + 1] where values.indices.contains(column) { values[column] = 0.4 }
            return values
        }

        private func bytes(_ value: Float) -> [UInt8] { withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) }
    }

    private let server: ServerProcess
    private var connection: Connection { server.connection }

    init() throws { server = try ServerProcess(["--log-level", "warning"]) }

    @Test func theServerKnowsThese() throws {
        let refusal = #expect(throws: CallError.self) {
            try connection.create("docs", [Make.space(dimension: 2, index: "none")])
        }
        let kinds = IndexKindTests.kinds.joined(separator: ", ")
        #expect(refusal?.reason == "UNKNOWN_INDEX_KIND" && refusal?.message.hasSuffix("none of \(kinds)") == true)
    }

    @Test(arguments: kinds) func findsWhatIsNear(_ kind: String) throws {
        var random = SeededGenerator(seed: 71)
        let vectors = (0..<IndexKindTests.points).map { _ in random.floats(IndexKindTests.dimension) }
        try fill(kind, vectors)
        for comparison in Comparison.allCases {
            var recall = Recall()
            for _ in 0..<20 {
                let query = random.floats(IndexKindTests.dimension)
                let scores = vectors.map { comparison.score($0, query) }
                let exact = try search(comparison, query, ["exact": true])
                let found = try search(comparison, query, IndexKindTests.parameters)
                #expect(exact.count == 10 && found.count == 10)
                for (number, score) in exact + found {
                    guard let known = scores[number] else { continue }
                    #expect(abs(score - known) <= 1e-4 * max(1, known), "\(comparison), \(number)")
                }
                let known = scores.compactMap { $0 }.sorted().prefix(10)
                for (place, score) in known.enumerated() { #expect(abs(exact[place].score - score) <= 1e-4 * max(1, score)) }
                recall.add(found: keys(found), nearest: keys(exact))
            }
            // Graphs and lists are made by another distance than the greatest difference.
            #expect(recall.share >= (comparison == .chebyshev ? 0.8 : 0.95), "\(comparison): \(recall.share)")
        }

        let gone = Array(stride(from: 5, to: IndexKindTests.points, by: 300))
        try connection.call(.delete, ["collection": "docs", "ids": .all(gone) { Make.id($0) }])
        for comparison in Comparison.allCases {
            for number in gone {
                for parameters in [["exact": true], IndexKindTests.parameters] {
                    let found = try search(comparison, vectors[number], parameters)
                    #expect(found.count == 10 && !found.contains { gone.contains($0.number) }, "\(comparison), \(number)")
                }
            }
        }
    }

    /// One space for each comparison, all of the kind, linked as far as they link.
    private func fill(_ kind: String, _ vectors: [[Float]]) throws {
        let spaces = Comparison.allCases.map { comparison in
            var space = Make.space(comparison.rawValue, dimension: IndexKindTests.dimension, metric: "L2")
            let own = kind.hasPrefix("ivf") ? ["train_at": "1000"] : [:]
            let parameters = comparison.parameters.merging(own) { $1 }
            space["index"] = ["kind": .text(kind), "parameters": .object(parameters.mapValues { .text($0) })]
            return space
        }
        try connection.create("docs", spaces, shards: 2)
        for first in stride(from: 0, to: vectors.count, by: 1_000) {
            let points = (first..<first + 1_000).map { number in
                let bytes = vectors[number].withUnsafeBytes { Array($0) }
                return Make.point(Make.id(number), Comparison.allCases.map { Make.vector(bytes: bytes, space: $0.rawValue) })
            }
            try connection.upsert("docs", points, ["durability": "DURABILITY_INDEXED"])
        }
        // What is yet to be learned holds up no write.
        let pause = NSCondition()
        while kind != "flat" {
            let stats = try connection.call(.getCollectionStats, ["collection": "docs"])["vectorSpaces"].list
            if stats.allSatisfy({ $0["linkedVectors"].integer == UInt64(vectors.count) }) { return }
            pause.withLock { _ = pause.wait(until: Date(timeIntervalSinceNow: 0.02)) }
        }
    }

    private func search(
        _ comparison: Comparison, _ query: [Float], _ parameters: JSON
    ) throws -> [(number: Int, score: Double)] {
        let results = try connection.search(
            "docs", Make.vector(query), ["vectorSpace": .text(comparison.rawValue), "parameters": parameters])
        return try results.map { result in
            (Int(try #require(result["id"]["number"].integer)), try #require(result["score"].double))
        }
    }

    private func keys(_ results: [(number: Int, score: Double)]) -> [PointKey] { results.map { PointKey(UInt64($0.number)) } }
}
