import Foundation
import Synchronization
import TestSupport
import Testing

/// A client that writes batches to points of its own until the server is gone, and remembers which were acknowledged.
final class FaultWriter: @unchecked Sendable {
    /// A request: upserts of points, with a mark of its own as their payload, and deletions.
    struct Batch {
        var requestID: String
        var number: Int
        var points: [String]
        /// What `clock` said when the answer was here; nil without one.
        var acknowledgedAt: Int?
    }

    static let points = 50
    private static let dimension = 8

    private let name: String
    private let first: Int
    private let clock: @Sendable () -> Int
    // Used by the writing thread; read by others when it has ended.
    private var random: SeededGenerator
    private(set) var batches: [Batch] = []
    /// Its points that are there for certain: a deletion of one that is not would change nothing.
    private var present: Set<Int> = []
    private let progress: Progress
    private let refused = Atomic(0)
    private let running = Atomic(true)

    /// - Parameters:
    ///   - number: of the writer; its points are its own.
    ///   - name: of the run: begins its request ids.
    init(_ number: Int, name: String, seed: UInt64, progress: Progress = Progress(), clock: @escaping @Sendable () -> Int = { 0 })
    {
        self.name = "\(name)/\(number)"
        first = number * FaultWriter.points
        self.progress = progress
        self.clock = clock
        random = SeededGenerator(seed: seed &* 31 &+ UInt64(number))
    }

    /// Writes that were refused for want of room.
    var refusals: Int { refused.load(ordering: .relaxed) }
    var isRunning: Bool { running.load(ordering: .relaxed) }

    /// Writes until `isOver`, or until the server does not answer.
    func run(_ connection: Connection, _ collection: String, until isOver: @Sendable () -> Bool) {
        defer {
            running.store(false, ordering: .relaxed)
            progress.signal()
        }
        while !isOver() {
            progress.waitForLeave(unless: isOver)
            do { try writeOnce(connection, collection) } catch let error as CallError where error.code == .resourceExhausted {
                // A full disk or a full log: refused, and nothing of it is there.
                refused.add(1, ordering: .relaxed)
                progress.signal()
            } catch { return }
        }
    }

    func writeOnce(_ connection: Connection, _ collection: String) throws {
        let count = Bool.random(using: &random) ? 1 : Int.random(in: 2...30, using: &random)
        let start = Int.random(in: 0..<FaultWriter.points, using: &random)
        let numbers = (0..<count).map { first + (start + $0) % FaultWriter.points }
        let number = batches.count
        let requestID = "\(name)/\(number)"
        batches.append(Batch(requestID: requestID, number: number, points: numbers.map { "\($0)" }))
        let deleted = numbers.filter { present.contains($0) && Int.random(in: 0..<6, using: &random) == 0 }
        let operations = JSON.all(numbers) { point in
            deleted.contains(point) ? ["delete": ["id": FaultWriter.id(point)]] : upsert(point, by: requestID, number)
        }
        try connection.call(
            .batchWrite,
            ["collection": .text(collection), "requestId": .text(requestID), "operations": operations],
            timeoutMilliseconds: 60_000)
        batches[number].acknowledgedAt = clock()
        present.formUnion(numbers)
        present.subtract(deleted)
        progress.add()
    }

    private static func id(_ point: Int) -> JSON { ["number": .number(point)] }

    private func upsert(_ point: Int, by requestID: String, _ number: Int) -> JSON {
        let values = random.floats(FaultWriter.dimension)
        return [
            "upsert": [
                "point": [
                    "id": FaultWriter.id(point), "payloadJson": .text(#"{"mark":"\#(requestID)","of":\#(number)}"#),
                    "vectors": [["values": .all(values) { .number(Double($0)) }]],
                ]
            ]
        ]
    }

    static func create(_ collection: String, shards: Int, on connection: Connection) throws {
        try connection.call(
            .createCollection,
            [
                "collection": [
                    "name": .text(collection), "shardCount": .number(Double(shards)),
                    "vectorSpaces": [
                        [
                            "dimension": .number(Double(dimension)), "elementType": "ELEMENT_TYPE_FLOAT32", "metric": "METRIC_L2",
                            "index": ["kind": "flat"],
                        ]
                    ],
                    "changeEvents": ["encoding": "ENCODING_JSON", "state": true, "transactions": true],
                ]
            ])
    }

    /// The log has every acknowledged batch once, every other at most once, none in part of a shard, and each point's in the order they were written.
    ///
    /// - Parameter cut: only batches acknowledged before it had to survive.
    func check(_ log: [[LogEvent]], before cut: Int = .max) {
        var found: [String: [LogEvent]] = [:]
        for event in log.joined() where event.requestID.hasPrefix(name + "/") {
            found[event.requestID, default: []].append(event)
        }
        for batch in batches {
            let events = found[batch.requestID] ?? []
            let points = events.map(\.point)
            if batch.acknowledgedAt.map({ $0 <= cut }) ?? false {
                #expect(points.sorted() == batch.points.sorted(), "\(batch.requestID) was acknowledged")
            }
            #expect(Set(points).count == points.count && Set(points).isSubset(of: batch.points), "\(batch.requestID) twice")
            for (shard, events) in Dictionary(grouping: events, by: \.shard) {
                #expect(Set(events.map(\.position)).count == 1, "\(batch.requestID) is two commits of shard \(shard)")
                #expect(events.count == events[0].count, "\(batch.requestID) is there in part")
            }
        }
        var last: [String: Int] = [:]
        for event in log.joined() where event.requestID.hasPrefix(name + "/") {
            let number = Int(event.requestID.split(separator: "/").last ?? "") ?? -1
            #expect(number >= last[event.point] ?? -1, "point \(event.point) went back to \(event.requestID)")
            last[event.point] = number
        }
    }
}

/// Whatever happened, the collection is what its log says.
func checkCollection(_ connection: Connection, _ collection: String, _ log: [[LogEvent]]) throws {
    var points: [String: String] = [:]
    for event in log.joined() { points[event.point] = event.payload }
    #expect(try connection.payloads(collection) == points)
}
