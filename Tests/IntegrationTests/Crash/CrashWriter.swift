import Foundation
import Synchronization
import TestSupport
import Testing

/// One client thread: upserts, changes and deletes its own points until the server is gone.
final class CrashWriter: @unchecked Sendable {
    static let keysEach = 120
    static let dimension = 8

    let keys: [PointKey]
    private let numbers: Range<Int>
    private let durability: JSON
    // Touched by the writing thread, and between the rounds by the test's.
    private var random: SeededGenerator
    private(set) var model = CrashModel()
    private var requests = 0

    init(_ number: Int, seed: UInt64) {
        numbers = number * CrashWriter.keysEach..<(number + 1) * CrashWriter.keysEach
        keys = numbers.map(PointKey.init)
        durability = number % 2 == 0 ? "DURABILITY_DURABLE" : "DURABILITY_ACCEPTED"
        random = SeededGenerator(seed: seed &+ UInt64(number))
    }

    func check(_ points: [PointKey: PointContent], shardOf: [PointKey: Int]) {
        model.check(keys, in: points, shardOf: shardOf)
    }

    /// Writes until a call fails because nobody answers.
    func run(_ connection: Connection, acknowledged: () -> Void) {
        do {
            while true {
                try writeOnce(connection)
                acknowledged()
            }
        } catch let error as CallError where error.code == .unavailable {
            // The server is dead: what was under way is in doubt.
        } catch { Issue.record(error) }
    }

    /// Makes every point once, so that the change log tells where each of them lives.
    func makeAll(_ connection: Connection) throws { try write(numbers.map { ($0, .upsert) }, connection) }

    private enum Change { case upsert, payload, delete }

    private func writeOnce(_ connection: Connection) throws {
        // One point, or a batch of several with a mark in common.
        let count = Bool.random(using: &random) ? 1 : Int.random(in: 2...40, using: &random)
        let start = Int.random(in: 0..<numbers.count, using: &random)
        var changes: [(Int, Change)] = []
        for step in 0..<count {
            let number = numbers.lowerBound + (start + step) % numbers.count
            let exists = model.known[PointKey(number)] != nil
            let choice = Int.random(in: 0..<10, using: &random)
            changes.append((number, choice < 6 || !exists ? .upsert : choice < 8 ? .payload : .delete))
        }
        try write(changes, connection)
    }

    private func write(_ changes: [(number: Int, change: Change)], _ connection: Connection) throws {
        requests += 1
        let payload = #"{"mark":"\#(numbers.lowerBound)/\#(requests)"}"#
        var wishes: CrashModel.Request = [:]
        var operations: [JSON] = []
        for (number, change) in changes {
            let key = PointKey(number)
            switch change {
            case .upsert:
                let bytes = random.floats(CrashWriter.dimension).flatMap {
                    withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init)
                }
                wishes[key] = .some(.init(payload: payload, vector: Data(bytes).base64EncodedString()))
                operations.append([
                    "upsert": ["point": Make.point(Make.id(number), [Make.vector(bytes: bytes)], payload: payload)]
                ])
            case .payload:
                wishes[key] = .some(.init(payload: payload, vector: model.known[key]?.vector ?? ""))
                operations.append([
                    "updatePayload": ["id": Make.id(number), "mode": "PAYLOAD_MODE_REPLACE", "payloadJson": .text(payload)]
                ])
            case .delete:
                wishes[key] = .some(nil)
                operations.append(["delete": ["id": Make.id(number)]])
            }
        }
        model.begin(wishes)
        let request: JSON = [
            "collection": .text(CrashTests.collection), "operations": .list(operations), "durability": durability,
            "requestId": .text("\(numbers.lowerBound)/\(requests)"),
        ]
        let answer = try connection.call(.batchWrite, request)
        for outcome in answer["outcomes"].list {
            #expect(outcome["result"] != "RESULT_FAILED" && outcome["result"] != "RESULT_NOT_FOUND", "\(outcome)")
        }
        model.acknowledge()
    }
}
