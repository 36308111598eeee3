import TestSupport
import Testing

/// Clients that do not keep to the protocol of a stream, or go away in the middle of one.
@Suite("Bad streams", .serverOutput)
struct BadStreamTests {
    private let server: ServerProcess
    private var connection: Connection { server.connection }

    init() throws {
        server = try ServerProcess()
        try server.connection.create("docs", [Make.space(dimension: 2, metric: "L2")])
        try server.connection.upsert("docs", [Make.point(1, [1, 0])])
    }

    private func item(_ sequence: Int, _ point: JSON = Make.point(7, [1, 2])) -> JSON {
        ["item": ["sequence": .number(sequence), "operation": ["upsert": ["point": point]]]]
    }

    private func opened() throws -> CallStream {
        let stream = try connection.open(.upsertStream)
        try stream.send(["open": ["collection": "docs"]])
        return stream
    }

    private func checkServes() throws {
        #expect(try connection.isServing())
        #expect(try connection.search("docs", Make.vector([1, 0])).first?["id"]["number"].integer == 1)
    }

    /// Sends messages, which must end the stream with an error about a field.
    private func expect(
        _ code: StatusCode, _ reason: String, _ field: String, _ messages: [JSON],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let stream = try connection.open(.upsertStream)
        for message in messages { try stream.send(message) }
        let error = try #require(throws: CallError.self, sourceLocation: sourceLocation) { try stream.finish() }
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        #expect(error.reason == reason, "\(error)", sourceLocation: sourceLocation)
        #expect(error.fields == [field], "\(error)", sourceLocation: sourceLocation)
        try checkServes()
    }

    private static let open: JSON = ["open": ["collection": "docs"]]

    @Test func messagesOutOfOrder() throws {
        let open = BadStreamTests.open
        try expect(.failedPrecondition, "STREAM_PROTOCOL", "message", [item(1)])
        try expect(.failedPrecondition, "STREAM_PROTOCOL", "message", [["flush": [:]]])
        try expect(.failedPrecondition, "STREAM_PROTOCOL", "message", [["close": [:]]])
        try expect(.failedPrecondition, "STREAM_PROTOCOL", "message", [open, [:]])
        try expect(.failedPrecondition, "STREAM_PROTOCOL", "open", [open, open])
        try expect(.failedPrecondition, "STREAM_PROTOCOL", "item.sequence", [open, item(2)])
        try expect(.failedPrecondition, "STREAM_PROTOCOL", "item.sequence", [open, item(1), item(1)])
        try expect(.failedPrecondition, "STREAM_PROTOCOL", "item.sequence", [open, item(1), item(3)])
    }

    @Test func badOpens() throws {
        try expect(.notFound, "COLLECTION_NOT_FOUND", "open.collection", [["open": ["collection": "nowhere"]]])
        try expect(.invalidArgument, "REQUIRED_FIELD_MISSING", "open.collection", [["open": [:]]])
        let long: JSON = .text(String(repeating: "s", count: 129))
        try expect(.invalidArgument, "LIMIT_EXCEEDED", "open.stream_id", [["open": ["collection": "docs", "streamId": long]]])
        try expect(
            .invalidArgument, "UNKNOWN_ENUM_VALUE", "open.durability", [["open": ["collection": "docs", "durability": 8]]])
    }

    @Test func moreItemsThanTheCredit() throws {
        let stream = try opened()
        let credit = Int(try #require(try stream.read()?["opened"]["credit"].integer))
        // Whether the server is behind when the credit is used up is its own business; that nothing acknowledged is lost is not.
        let writer = Threads()
        let items = try (1...credit * 4).map {
            try Message.encode(item($0, Make.point($0, [1, 2])), as: Method.upsertStream.requestType)
        }
        writer.start {
            for bytes in items where !stream.send(bytes: bytes) { break }
            stream.writesDone()
        }
        var acknowledged = 0
        while let answer = try stream.read() {
            acknowledged = answer["ack"]["sequenceTo"].integer.map { Int($0) } ?? acknowledged
        }
        writer.join()
        do {
            try stream.finish()
            #expect(acknowledged == items.count)
        } catch {
            #expect(error.code == .resourceExhausted && error.reason == "CREDIT_EXCEEDED", "\(error)")
            #expect(error.fields == ["item.sequence"])
        }
        #expect(try (connection.count("docs") ?? 0) >= acknowledged)
        try checkServes()
    }

    @Test func badItemsFailAloneAndTheStreamGoesOn() throws {
        let stream = try opened()
        try stream.send(item(1, Make.point(10, [1, 1])))
        try stream.send(item(2, Make.point(11, [1, 1, 1])))
        try stream.send(["item": ["sequence": "3"]])
        try stream.send(item(4, Make.point(12, [1, 1])))
        try stream.send(["close": [:]])
        var failed: [UInt64: JSON] = [:]
        var acknowledged: UInt64 = 0
        while let answer = try stream.read() {
            if let sequence = answer["itemError"]["sequence"].integer, sequence > acknowledged {
                failed[sequence] = answer["itemError"]["status"]["code"]
            }
            acknowledged = answer["ack"]["sequenceTo"].integer ?? acknowledged
        }
        try stream.finish()
        let invalid = JSON.number(Double(StatusCode.invalidArgument.rawValue))
        #expect(failed == [2: invalid, 3: invalid])
        #expect(acknowledged == 4)
        #expect(try connection.count("docs") == 3)
        try checkServes()
    }

    @Test func aClientThatReadsNoAnswersIsHeldBack() throws {
        // Each bad item makes an answer. Unread, they fill the stream's window; then the server must read no more, and writing blocks.
        let limit = 20_000
        let stream = try connection.open(.upsertStream, timeoutMilliseconds: 1_500)
        try stream.send(BadStreamTests.open)
        let vector = Make.vector([1, 2], space: String(repeating: "x", count: 3_000))
        var sent = 0
        for number in 1...limit {
            guard try stream.send(item(number, Make.point(Make.id(1), [vector]))) else { break }
            sent = number
        }
        #expect(sent < limit)
        let error = #expect(throws: CallError.self) { try stream.finish() }
        #expect(error?.code == .deadlineExceeded)
        try checkServes()
    }

    @Test func aSearcherThatReadsNoAnswersIsHeldBack() throws {
        let limit = 3_000
        let payload = #"{"text":"\#(String(repeating: "x", count: 30_000))"}"#
        try connection.upsert("docs", [Make.point(1, [1, 0], payload: payload)])
        let stream = try connection.open(.searchStream, timeoutMilliseconds: 1_500)
        let query: JSON = ["collection": "docs", "query": ["vector": Make.vector([1, 0])], "select": ["payload": true]]
        let message = try Message.encode(["tag": "1", "search": query], as: Method.searchStream.requestType)
        // As long as the answers, so that the server's window holds few: a field of the future, which is passed over.
        let padded = message + [0xFA, 0x7F] + [0xB0, 0xEA, 0x01] + [UInt8](repeating: 0, count: 30_000)
        var sent = 0
        while sent < limit, stream.send(bytes: padded) { sent += 1 }
        #expect(sent < limit)
        let error = #expect(throws: CallError.self) { try stream.finish() }
        #expect(error?.code == .deadlineExceeded)
        try checkServes()
    }

    @Test func aClientThatGoesAwayInTheMiddle() throws {
        for _ in 0..<20 {
            let stream = try opened()
            for number in 1...200 { try stream.send(item(number, Make.point(100 + number, [1, 2]))) }
            stream.cancel()
            let error = #expect(throws: CallError.self) { try stream.finish() }
            #expect(error?.code == .cancelled)
        }
        try checkServes()
    }

    @Test func aConnectionThatBreaksWithStreamsOpen() throws {
        for _ in 0..<10 {
            let own = try Connection(server.address)
            let upserts = try own.open(.upsertStream)
            try upserts.send(["open": ["collection": "docs"]])
            let searches = try own.open(.searchStream)
            for tag in 0..<50 {
                try searches.send([
                    "tag": .number(tag), "search": ["collection": "docs", "query": ["vector": Make.vector([1, 0])]],
                ])
            }
            let changes = try own.open(.subscribe, ["collection": "docs", "start": "START_SNAPSHOT"])
            let export = try own.open(.export, ["collection": "docs"])
            let health = try own.open(.watchHealth, [:])
            // Let go of one after another, none finished.
            withExtendedLifetime((upserts, searches, changes, export, health)) {}
        }
        try checkServes()
    }
}
