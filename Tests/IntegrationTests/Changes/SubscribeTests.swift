import Synchronization
import TestSupport
import Testing

/// The change stream, from each of its starts, under writers that do not wait for it.
@Suite("Subscriptions", .serverOutput)
struct SubscribeTests {
    private let server: ServerProcess
    private var connection: Connection { server.connection }

    init() throws {
        server = try ServerProcess()
        try server.connection.create("docs", [Make.space(dimension: 2, metric: "L2", index: "flat")], shards: 3)
    }

    private func write(_ numbers: Range<Int>) throws {
        try connection.upsert("docs", numbers.map { Make.point($0, [Float($0), 1], payload: #"{"n":\#($0)}"#) })
    }

    private func subscribe(_ more: [String: JSON]) throws -> CallStream {
        var request: JSON = ["collection": "docs", "heartbeatMilliseconds": 100]
        for (field, value) in more { request[field] = value }
        return try connection.open(.subscribe, request)
    }

    /// Four threads write, change and delete while `body` runs, which is told when they are done.
    private func underWriters(_ body: (Running) throws -> Void) throws {
        let connection = connection
        let running = Running()
        let threads = Threads()
        for thread in 0..<4 {
            threads.start {
                #expect(throws: Never.self) {
                    for round in 0..<60 {
                        let first = 1_000 * thread + round % 20
                        try connection.upsert(
                            "docs",
                            (first..<first + 5).map { Make.point($0, [Float($0), Float(round)], payload: #"{"r":\#(round)}"#) })
                        if round % 3 == 0 { try connection.call(.delete, ["collection": "docs", "ids": [Make.id(first)]]) }
                    }
                }
                running.count.subtract(1, ordering: .sequentiallyConsistent)
            }
        }
        defer { threads.join() }
        try body(running)
    }

    private final class Running: Sendable {
        let count = Atomic<Int>(4)
    }

    @Test func fromTheBeginningUnderWriters() throws {
        let replay = try ChangeReplay(connection, "docs")
        try underWriters { running in
            repeat { try replay.catchUp(connection) } while running.count.load(ordering: .sequentiallyConsistent) > 0
        }
        try replay.catchUp(connection)
        #expect(replay.points == (try connection.export("docs")))
    }

    @Test func aSnapshotAndThenTheStreamLeaveNoGapAndNoOverlap() throws {
        try write(0..<1_500)
        var points: [PointKey: PointContent] = [:]
        var ended: [UInt64] = []
        try underWriters { running in
            let stream = try subscribe(["start": "START_SNAPSHOT", "vectors": true])
            var inSnapshot = true
            var positions: [UInt64] = []
            while let message = try stream.read(as: SubscribeMessage.self) {
                for event in message.events {
                    let key = try #require((event.after ?? event.before)?.id)
                    #expect((event.op == "CHANGE_OPERATION_READ") == inSnapshot)
                    if inSnapshot {
                        #expect(points[key] == nil, "\(key) was read twice")
                    } else {
                        #expect(event.before?.content == points[key], "\(event.id) does not follow from the snapshot")
                        positions[event.source.shard] = try #require(UInt64(event.source.position))
                    }
                    points[key] = event.after?.content
                }
                guard let heartbeat = message.heartbeat else { continue }
                if inSnapshot { positions = heartbeat.positions.map(\.value) }
                inSnapshot = false
                #expect(positions == heartbeat.positions.map(\.value))
                // A heartbeat comes when there is nothing to send: with the writers done, that is the end.
                if running.count.load(ordering: .sequentiallyConsistent) == 0 {
                    ended = try connection.call(.getPositions, ["collection": "docs"])["latest"].list.compactMap {
                        $0["position"].integer
                    }
                    if positions == ended { break }
                }
            }
            stream.cancel()
        }
        #expect(!ended.isEmpty)
        #expect(points == (try connection.export("docs")))
    }

    @Test func fromNowOnAndFromAPosition() throws {
        try write(0..<10)
        let stream = try subscribe(["start": "START_NOW"])
        // The first heartbeat says that the subscription stands.
        let begun = try #require(try stream.read(as: SubscribeMessage.self)?.heartbeat)
        try write(10..<20)
        var seen: [String] = []
        while seen.count < 10, let message = try stream.read(as: SubscribeMessage.self) {
            seen += message.events.compactMap { $0.after?.id.number }
        }
        #expect(Set(seen) == Set((10..<20).map { "\($0)" }))
        stream.cancel()
        let again = try subscribe([
            "positions": .all(begun.positions) { ["shard": .number(Double($0.shard)), "position": .text($0.position)] }
        ])
        var repeated: [String] = []
        while repeated.count < 10, let message = try again.read(as: SubscribeMessage.self) {
            repeated += message.events.compactMap { $0.after?.id.number }
        }
        #expect(Set(repeated) == Set(seen))
        again.cancel()
    }

    @Test func eventsSayWhatChanged() throws {
        try connection.create("one", [Make.space(dimension: 2, metric: "L2")])
        try connection.upsert("one", [Make.point(1, [1, 2], payload: #"{"a":1,"b":2}"#)], ["requestId": "r-1"])
        try connection.call(
            .updatePayload, ["collection": "one", "ids": [Make.id(1)], "mode": "PAYLOAD_MODE_SET", "payloadJson": #"{"b":3}"#])
        try connection.call(.delete, ["collection": "one", "ids": [Make.id(1)]])
        let stream = try connection.open(.subscribe, ["collection": "one", "start": "START_POSITION"])
        var events: [JSON] = []
        while events.count < 3, let message = try stream.read() { events += message["events"].list }
        stream.cancel()
        #expect(events.map(\.["op"]) == ["CHANGE_OPERATION_CREATE", "CHANGE_OPERATION_UPDATE", "CHANGE_OPERATION_DELETE"])
        #expect(events[0]["source"]["requestId"] == "r-1")
        #expect(events[0]["before"] == .null && events[0]["after"]["payloadJson"] == #"{"a":1,"b":2}"#)
        #expect(events[1]["changedFields"] == ["payload", "payload.b"] || events[1]["changedFields"] == ["payload.b"])
        // Digests by default, whole vectors only where they are asked for.
        #expect(events[1]["after"]["vectors"][0]["data"] == "")
        #expect(events[1]["after"]["vectors"][0]["digest"] == events[0]["after"]["vectors"][0]["digest"])
        #expect(events[0]["after"]["vectors"][0]["digest"] != "0")
        #expect(events[2]["after"] == .null && events[2]["before"]["payloadJson"] == #"{"a":1,"b":3}"#)
        #expect(events.map(\.["source"]["position"]) == ["1", "2", "3"])
    }

    @Test func aCommitLargerThanAMessageArrivesInParts() throws {
        try connection.create("large", [Make.space(dimension: 2, metric: "L2")])
        let text = String(repeating: "x", count: 1_000_000)
        for round in 0..<2 {
            try connection.upsert(
                "large", (0..<15).map { Make.point($0, [1, 2], payload: #"{"n":\#(round),"text":"\#(text)"}"#) })
        }
        let replay = try ChangeReplay(connection, "large")
        try replay.catchUp(connection)
        #expect(replay.events == 30)
    }

    @Test func aSubscriberThatDoesNotReadHoldsUpNobody() throws {
        let text = String(repeating: "x", count: 10_000)
        let stream = try subscribe(["start": "START_POSITION"])
        for round in 0..<100 {
            try connection.upsert(
                "docs", (0..<20).map { Make.point($0, [1, 2], payload: #"{"n":\#(round),"text":"\#(text)"}"#) })
        }
        var seen = 0
        while seen < 2_000, let message = try stream.read(as: SubscribeMessage.self) { seen += message.events.count }
        #expect(seen == 2_000)
        stream.cancel()
    }

    @Test func shardsThatAreFarBehindTakeTurns() throws {
        let text = String(repeating: "x", count: 10_000)
        for round in 0..<100 {
            try connection.upsert(
                "docs", (0..<30).map { Make.point($0, [1, 2], payload: #"{"n":\#(round),"text":"\#(text)"}"#) })
        }
        let stream = try subscribe(["start": "START_POSITION"])
        var seen = [0, 0, 0]
        while seen.contains(0), seen.allSatisfy({ $0 < 400 }), let message = try stream.read(as: SubscribeMessage.self) {
            for event in message.events { seen[event.source.shard] += 1 }
        }
        #expect(!seen.contains(0), "\(seen) events of each shard")
        stream.cancel()
    }

    /// Never skipped: whoever was away for longer than the log is kept is told, and so is whoever reads a snapshot for so long.
    @Test(arguments: [false, true]) func commitsThatAreGoneEndTheStream(amidSnapshot: Bool) throws {
        let server = try ServerProcess(EveryEvent.trims)
        let connection = server.connection
        try connection.create("docs", [Make.space(dimension: 2, metric: "L2", index: "flat")])
        func write(_ numbers: Range<Int>) throws {
            let text = String(repeating: "x", count: 60_000)
            for number in numbers {
                try connection.upsert("docs", [Make.point(number, [Float(number), 1], payload: #"{"text":"\#(text)"}"#)])
            }
        }
        // More than is sent ahead to a client that does not read.
        try write(0..<200)
        let snapshot = try connection.open(.subscribe, ["collection": "docs", "start": "START_SNAPSHOT"])
        var seen = try snapshot.read(as: SubscribeMessage.self)?.events.count ?? 0
        try write(200..<300)
        try EveryEvent.waitUntilTrimmed("docs", server, beyond: 202)
        var stream = snapshot
        if !amidSnapshot {
            snapshot.cancel()
            seen = 0
            stream = try connection.open(.subscribe, ["collection": "docs", "positions": [["shard": 0, "position": "1"]]])
        }
        let ended = #expect(throws: CallError.self) {
            while let message = try stream.read(as: SubscribeMessage.self) { seen += message.events.count }
            try stream.finish()
        }
        #expect(ended?.code == .outOfRange && ended?.reason == "POSITION_TRIMMED", "\(String(describing: ended))")
        #expect(ended?.metadata["position"] == (amidSnapshot ? "200" : "1"))
        #expect(seen == (amidSnapshot ? 200 : 0))
    }

    @Test func aDeletedCollectionEndsWhatIsOpenOnIt() throws {
        try write(0..<5_000)
        let connection = connection
        let changes = try subscribe(["start": "START_NOW"])
        _ = try changes.read()
        let upserts = try connection.open(.upsertStream)
        try upserts.send(["open": ["collection": "docs"]])
        _ = try upserts.read()
        let export = try connection.open(.export, ["collection": "docs", "select": ["vectors": true]])
        _ = try export.read()
        let searches = Threads()
        searches.start {
            do {
                while true { _ = try connection.search("docs", Make.vector([1, 2])) }
            } catch let error as CallError { #expect(error.reason == "COLLECTION_NOT_FOUND", "\(error)") } catch {
                Issue.record(error)
            }
        }
        try connection.call(.deleteCollection, ["name": "docs"])
        searches.join()
        try upserts.send([
            "item": ["sequence": "1", "operation": ["upsert": ["point": Make.point(1, [1, 2])]]]
        ])
        let ended = #expect(throws: CallError.self) { try changes.finish() }
        #expect(ended?.reason == "COLLECTION_NOT_FOUND", "\(String(describing: ended))")
        let refused = #expect(throws: CallError.self) { try upserts.finish() }
        #expect(refused?.code == .unavailable, "\(String(describing: refused))")
        // What an export began with stays readable, or it says that it is gone.
        do { try export.finish() } catch { #expect(error.reason == "COLLECTION_NOT_FOUND", "\(error)") }
        #expect(try connection.isServing())
        try connection.create("docs", [Make.space(dimension: 3)])
        #expect(try connection.count("docs") == 0)
    }
}
