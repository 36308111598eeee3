import TestSupport
import Testing

/// Follows the change log and rebuilds the collection from it, checking each event against what the ones before it said.
final class ChangeReplay {
    private let collection: String
    private(set) var points: [PointKey: PointContent] = [:]
    private(set) var events: UInt64 = 0
    /// The last commit seen, by shard.
    private(set) var positions: [UInt64]
    /// Which shard holds a point.
    private(set) var shards: [PointKey: Int] = [:]
    /// Of the ids of all events, to compare two replays. Shards may come in any order.
    private(set) var fingerprint: UInt64 = 0
    /// Events of the commit under way that are still to come, by shard.
    private var remaining: [Int]

    init(_ connection: Connection, _ collection: String) throws {
        self.collection = collection
        let count = try ChangeReplay.latest(connection, collection).count
        positions = [UInt64](repeating: 0, count: count)
        remaining = [Int](repeating: 0, count: count)
    }

    private static func latest(_ connection: Connection, _ collection: String) throws -> [UInt64] {
        try connection.call(.getPositions, ["collection": .text(collection)])["latest"].list.map { $0["position"].integer ?? 0 }
    }

    /// Reads on to the last commit there is.
    func catchUp(_ connection: Connection) throws {
        let goal = try ChangeReplay.latest(connection, collection)
        guard zip(positions, goal).contains(where: <) else { return }
        let stream = try connection.open(
            .subscribe,
            [
                "collection": .text(collection), "start": "START_POSITION", "heartbeatMilliseconds": 100, "vectors": true,
                "positions": .all(positions.enumerated()) {
                    ["shard": .number(Double($0.offset)), "position": .number($0.element)]
                },
            ])
        // Writers may be ahead of the goal by now; a commit may come in several messages.
        while zip(positions, goal).contains(where: <) || remaining.contains(where: { $0 > 0 }),
            let message = try stream.read(as: SubscribeMessage.self)
        {
            take(message)
        }
        #expect(zip(positions, goal).allSatisfy(>=))
        #expect(remaining.allSatisfy { $0 == 0 }, "a commit is cut off")
        stream.cancel()
    }

    private func take(_ message: SubscribeMessage) {
        for event in message.events { take(event) }
        for position in message.heartbeat?.positions ?? [] {
            #expect(position.value == positions[position.shard], "a heartbeat speaks of events that were not sent")
        }
    }

    private func take(_ event: SubscribeMessage.Event) {
        let source = event.source
        guard let key = (event.after ?? event.before)?.id else {
            Issue.record("event \(event.id) is about no point")
            return
        }
        if source.index == 0 {
            #expect(remaining[source.shard] == 0, "\(event.id) begins a commit within another")
            #expect(source.position == "\(positions[source.shard] + 1)", "\(event.id) follows \(positions[source.shard])")
            remaining[source.shard] = source.count
        }
        #expect(source.index == source.count - remaining[source.shard], "\(event.id) is out of order")
        remaining[source.shard] -= 1
        if remaining[source.shard] == 0 { positions[source.shard] += 1 }
        #expect(event.id.hasSuffix(".\(source.shard)/\(source.position)/\(source.index)"))
        #expect(event.before?.content == points[key], "\(event.id) does not follow from what was before")
        #expect((event.op == "CHANGE_OPERATION_CREATE") == (event.before == nil))
        #expect((event.op == "CHANGE_OPERATION_DELETE") == (event.after == nil))
        points[key] = event.after?.content
        shards[key] = source.shard
        events += 1
        fingerprint &+= event.id.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

extension Connection {
    /// Every point of a collection, with all its parts.
    func export(_ collection: String) throws -> [PointKey: PointContent] {
        struct Part: Decodable { var points: [ExportedPoint] }
        let stream = try open(.export, ["collection": .text(collection), "select": ["payload": true, "vectors": true]])
        var points: [PointKey: PointContent] = [:]
        while let part = try stream.read(as: Part.self) {
            for point in part.points {
                #expect(points.updateValue(point.content, forKey: point.id) == nil, "\(point.id) is there twice")
            }
        }
        try stream.finish()
        return points
    }
}
