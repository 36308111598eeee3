import TestSupport
import Testing

/// Bytes that are no message, or half of one, to every method: any answer will do, but there must be one.
@Suite("Damaged bytes", .serverOutput)
struct DamagedBytesTests {
    /// A valid request of each method that has fields worth breaking.
    private static let examples: [(Method, JSON)] = [
        (.createCollection, ["collection": ["name": "other", "vectorSpaces": [Make.space("a", dimension: 0)]]]),
        (.updateCollection, ["collection": ["name": "docs", "description": "x"], "updateMask": "description", "etag": "no"]),
        (.updateAliases, ["actions": [["assign": ["alias": "x", "collection": "nowhere"]]]]),
        (.upsert, ["collection": "docs", "points": [Make.point(1, [1, 0, 0], payload: #"{"a":1}"#)], "requestId": "one"]),
        (
            .batchWrite,
            [
                "collection": "docs",
                "operations": [
                    ["upsert": ["point": Make.point(1, [1, 0, 0], payload: #"{"a":1}"#), "ifVersion": "99"]],
                    ["delete": ["id": Make.id("nobody")]],
                    ["updatePayload": ["id": Make.id(404), "mode": "PAYLOAD_MODE_SET", "payloadJson": "{}", "keys": ["k"]]],
                    ["updateVectors": ["id": Make.id(404), "vectors": [Make.vector([1, 2, 3])], "removeSpaces": []]],
                ],
            ]
        ),
        (.get, ["collection": "docs", "ids": [Make.id(1), Make.id("a"), ["uuid": .bytes([UInt8](repeating: 7, count: 16))]]]),
        (.scroll, ["collection": "docs", "pageSize": 5, "select": ["payload": true, "vectors": true]]),
        (.search, ["collection": "docs", "query": ["vector": Make.vector([1, 0, 0])], "topK": 5, "scoreThreshold": 0.5]),
        (.searchBatch, ["collection": "docs", "searches": [["query": ["vector": Make.vector([1, 0, 0])]]]]),
        (.searchStream, ["tag": "7", "search": ["collection": "docs", "query": ["vector": Make.vector([1, 0, 0])]]]),
        (.upsertStream, ["open": ["collection": "docs", "streamId": "damaged"]]),
        (.subscribe, ["collection": "docs", "start": "START_SNAPSHOT", "heartbeatMilliseconds": 100]),
    ]

    private let target: BadInputServer

    /// A server of their own: what is damaged may still be a valid write.
    init() throws { target = try BadInputServer() }

    /// Sends bytes and takes whatever comes; a stream that would go on is cancelled.
    private func send(_ bytes: [UInt8], to method: Method) throws {
        if method.isStreaming {
            let stream = try target.connection.open(method, timeoutMilliseconds: 5_000)
            stream.send(bytes: bytes)
            stream.writesDone()
            if method == .subscribe || method == .watchHealth { stream.cancel() }
            do { try stream.finish() } catch { try check(error, method) }
        } else {
            do {
                _ = try target.connection.call(path: method.rawValue, bytes, timeoutMilliseconds: 5_000)
            } catch { try check(error, method) }
        }
    }

    /// Nothing is a failure of the server, and nothing takes for ever.
    private func check(_ error: CallError, _ method: Method) throws {
        let good: [StatusCode] = [
            .invalidArgument, .notFound, .alreadyExists, .aborted, .outOfRange, .failedPrecondition, .resourceExhausted,
            .cancelled,
        ]
        #expect(good.contains(error.code), "\(method): \(error)")
    }

    @Test func truncatedMessages() throws {
        for (method, request) in DamagedBytesTests.examples {
            let whole = try Message.encode(request, as: method.requestType)
            for length in 0..<whole.count { try send(Array(whole[..<length]), to: method) }
        }
        #expect(try target.connection.isServing())
    }

    @Test func flippedBits() throws {
        var random = SeededGenerator(seed: 11)
        for (method, request) in DamagedBytesTests.examples {
            let whole = try Message.encode(request, as: method.requestType)
            for _ in 0..<100 {
                var damaged = whole
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    damaged[Int.random(in: 0..<whole.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
                try send(damaged, to: method)
            }
        }
        #expect(try target.connection.isServing())
    }

    @Test(arguments: Method.allCases)
    func randomBytes(_ method: Method) throws {
        var random = SeededGenerator(seed: 12)
        for count in [1, 2, 7, 30, 200, 5_000] {
            for _ in 0..<3 { try send(random.bytes(count), to: method) }
        }
        #expect(try target.connection.isServing())
    }
}
