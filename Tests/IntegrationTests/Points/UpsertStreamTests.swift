import TestSupport
import Testing

/// Streams of writes: acknowledged in order, resumed where they broke.
@Suite("Upsert streams", .serverOutput)
struct UpsertStreamTests {
    private let server: ServerProcess

    init() throws {
        server = try ServerProcess()
        try server.connection.create("docs", [Make.space(dimension: 2, metric: "L2", index: "flat")], shards: 2)
    }

    private func item(_ sequence: UInt64) -> JSON {
        [
            "item": [
                "sequence": .number(sequence),
                "operation": ["upsert": ["point": Make.point(Int(sequence % 50), [1, 2], payload: #"{"n":\#(sequence)}"#)]],
            ]
        ]
    }

    @Test func everyItemIsAcknowledgedOnce() throws {
        let stream = try server.connection.open(.upsertStream)
        try stream.send(["open": ["collection": "docs", "durability": "DURABILITY_ACCEPTED"]])
        let opened = try #require(try stream.read())
        #expect(opened["opened"]["lastAcked"].integer == 0)
        var credit = try #require(opened["opened"]["credit"].integer)
        var next: UInt64 = 1
        var acknowledged: UInt64 = 0
        while next <= 3_000 {
            while credit > 0, next <= 3_000 {
                try stream.send(item(next))
                next += 1
                credit -= 1
            }
            if credit == 0, let answer = try stream.read() {
                if let from = answer["ack"]["sequenceFrom"].integer, from > 0 {
                    #expect(from == acknowledged + 1)
                    acknowledged = try #require(answer["ack"]["sequenceTo"].integer)
                    #expect(!answer["ack"]["positions"].list.isEmpty)
                }
                credit += answer["credit"]["additional"].integer ?? 0
            }
        }
        try stream.send(["flush": [:]])
        try stream.send(["close": [:]])
        while let answer = try stream.read() {
            guard let from = answer["ack"]["sequenceFrom"].integer, from > 0 else { continue }
            #expect(from == acknowledged + 1)
            acknowledged = try #require(answer["ack"]["sequenceTo"].integer)
        }
        try stream.finish()
        #expect(acknowledged == 3_000)
        #expect(try server.connection.count("docs") == 50)
    }

    @Test func aStreamGoesOnWhereAKillBrokeIt() throws {
        let total: UInt64 = 4_000
        var random = SeededGenerator(seed: 5)
        var lastSeen: UInt64 = 0
        var kills = 0
        var finished = false
        while !finished {
            let stream = try server.connection.open(.upsertStream)
            try stream.send(["open": ["collection": "docs", "streamId": "loader"]])
            let resumed = try #require(try stream.read()?["opened"]["lastAcked"].integer)
            #expect(resumed >= lastSeen)
            lastSeen = resumed
            let goal = kills < 6 ? resumed + UInt64.random(in: 1...600, using: &random) : total
            var next = resumed + 1
            while lastSeen < min(goal, total) {
                while next <= total, next - lastSeen <= 512 {
                    try stream.send(item(next))
                    next += 1
                }
                guard let answer = try stream.read() else { break }
                if let to = answer["ack"]["sequenceTo"].integer, to > 0 { lastSeen = to }
            }
            finished = lastSeen == total
            if finished {
                try stream.send(["close": [:]])
                try stream.finish()
            } else {
                kills += 1
                try server.restart()
            }
        }
        #expect(kills > 0)
        // Each item was done exactly once: it is one event.
        let changes = try ChangeReplay(server.connection, "docs")
        try changes.catchUp(server.connection)
        #expect(changes.events == total)
        for key in 0..<UInt64(50) {
            let last = total - (total - key) % 50
            let point = try server.connection.point("docs", Make.id(key))
            #expect(point?["payloadJson"].string == #"{"n":\#(key == 0 ? total : last)}"#)
        }
    }
}
