import Foundation
import KithAPI
import KithCore

/// A collection of a running server, as benchmarks see it.
struct ServedCollection: Sendable {
    static let name = "benchmark"

    let client: KithClient

    private struct CreateRequest: Encodable {
        struct Index: Encodable {
            var kind: String
            var parameters: [String: String]
        }
        struct Space: Encodable {
            var dimension: Int
            var elementType: String
            var metric: String
            var index: Index
        }
        struct Tail: Encodable {
            var policy = "POLICY_SLOW_WRITERS"
            var maxVectors: Int
        }
        struct Collection: Encodable {
            var name: String
            var vectorSpaces: [Space]
            var tail: Tail
        }
        var collection: Collection
    }
    /// An answer that is not looked at.
    private struct Ignored: Decodable {}

    /// The collection that an earlier run of the server made.
    init(on client: KithClient) { self.client = client }

    /// - Parameter tail: vectors that may wait to be linked before writers are slowed.
    init(creating space: VectorSpace, tail: Int, on client: KithClient) throws(KithError) {
        self.client = client
        let wireSpace = CreateRequest.Space(
            dimension: space.dimension, elementType: space.element.wireName, metric: space.metric.wireName,
            index: CreateRequest.Index(kind: space.index.kind, parameters: space.index.parameters))
        let request = CreateRequest(
            collection: CreateRequest.Collection(
                name: ServedCollection.name, vectorSpaces: [wireSpace], tail: CreateRequest.Tail(maxVectors: tail)))
        let _: Ignored = try client.call("/kith.v1.CollectionService/CreateCollection", request)
    }

    /// Sets how many vectors may wait to be linked before writers are slowed.
    func setTail(_ maxVectors: Int) throws(KithError) {
        struct Request: Encodable {
            struct Collection: Encodable {
                var name = ServedCollection.name
                var tail: CreateRequest.Tail
            }
            var collection: Collection
            var updateMask = "tail"
        }
        let request = Request(collection: Request.Collection(tail: CreateRequest.Tail(maxVectors: maxVectors)))
        let _: Ignored = try client.call("/kith.v1.CollectionService/UpdateCollection", request)
    }

    struct Figures: Sendable {
        var points: Int
        var linked: Int
        var tail: Int
    }

    private struct Stats: Decodable {
        struct Space: Decodable {
            var linkedVectors: String
            var tailVectors: String
        }
        var points: String
        var vectorSpaces: [Space]
    }

    func figures() throws(KithError) -> Figures {
        let stats: Stats = try client.call("/kith.v1.CollectionService/GetCollectionStats", ["collection": ServedCollection.name])
        func sum(_ values: [String]) -> Int { values.reduce(0) { $0 + (Int($1) ?? 0) } }
        return Figures(
            points: sum([stats.points]), linked: sum(stats.vectorSpaces.map(\.linkedVectors)),
            tail: sum(stats.vectorSpaces.map(\.tailVectors)))
    }

    /// Waits until no vector waits any more; answers how long that took.
    func waitUntilLinked() throws(KithError) -> Double {
        let began = ContinuousClock.now
        while try figures().tail > 0 { usleep(20_000) }
        return (ContinuousClock.now - began).seconds
    }

    /// The points found for each query, by their numbers.
    func answers(_ queries: VectorSet, effort: Int) throws(KithError) -> [[Int]] {
        try InParallel.map(queries.count) { [client] (number) throws(KithError) in
            var query = ClientQuery(.vector(ClientVector(.bytes(Array(queries.bytes(number)), nil))))
            query.topK = Dataset.topK
            query.effort = effort
            query.payload = false
            return try client.search(ServedCollection.name, query).map { (point) throws(KithError) in
                guard case .number(let id) = point.id else { throw KithError.failed("found a point that was never written") }
                return Int(id)
            }
        }
    }
}
