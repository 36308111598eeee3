import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

/// The product is killed again and again while it is written to; after each start it must be as if nothing had happened.
@Suite("Crashes", .serverOutput)
struct CrashTests {
    static let collection = "crash"
    private static let rounds = 32
    private static let seed: UInt64 = 2_026

    private let server: ServerProcess
    private let writers = (0..<4).map { CrashWriter($0, seed: CrashTests.seed) }

    init() throws {
        server = try ServerProcess(["--log-level", "warning"])
        let space = Make.space(dimension: CrashWriter.dimension, metric: "L2")
        try server.connection.create(CrashTests.collection, [space], shards: 2)
    }

    /// Tells when the writers have done so much that it is time, or none of them is left to do it.
    private final class Countdown: Sendable {
        private let left: Atomic<Int>
        private let writers: Atomic<Int>
        private let end = DispatchSemaphore(value: 0)

        init(_ count: Int, writers: Int) {
            left = Atomic(count)
            self.writers = Atomic(writers)
        }

        func step() {
            if left.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 { end.signal() }
        }

        /// A writer has ended.
        func leave() {
            if writers.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 { end.signal() }
        }

        /// Answers whether all was done.
        func wait() -> Bool {
            end.wait()
            return left.load(ordering: .sequentiallyConsistent) <= 0
        }
    }

    @Test func nothingAcknowledgedIsLostAndNothingIsHalfDone() throws {
        var random = SeededGenerator(seed: CrashTests.seed)
        for writer in writers { try writer.makeAll(server.connection) }
        let replay = try ChangeReplay(server.connection, CrashTests.collection)
        var recall = Recall()
        for round in 0..<CrashTests.rounds {
            if round % 3 == 2 { try changeIndex(CrashTests.indexes[round / 3 % CrashTests.indexes.count]) }
            try killWhileWriting(
                after: Int.random(in: 1...300, using: &random), microseconds: Int.random(in: 0...3_000, using: &random))
            if round % 4 == 3 {
                // Also while it recovers.
                try server.restartAndKill(
                    at: .disk, number: Int.random(in: 1...60, using: &random), isTaken: Bool.random(using: &random))
            }
            try server.restart()
            try check(replay, &recall, &random)
        }
        #expect(recall.share >= 0.98, "searches found \(recall.share) of the nearest")
        // The log as a whole says the same as its parts did.
        let whole = try ChangeReplay(server.connection, CrashTests.collection)
        try whole.catchUp(server.connection)
        #expect(whole.events == replay.events)
        #expect(whole.fingerprint == replay.fingerprint)
        #expect(server.terminate() == 0)
        let check = try ChildProcess(TestEnvironment.binary, ["check", server.dataFolder])
        #expect(check.wait() == 0, "\(check.output)")
    }

    /// What takes the place of one another amid all that. Each finds nearly everything.
    private static let indexes: [JSON] = [
        ["kind": "ivf_flat", "parameters": ["lists": "4", "probes": "4", "train_at": "256"]], ["kind": "disk_graph"],
        ["kind": "graph", "parameters": ["degree": "24"]], ["kind": "flat"], ["kind": "graph"],
    ]

    /// The index is made anew from here on, through kills and restarts.
    private func changeIndex(_ index: JSON) throws {
        try server.connection.call(
            .updateCollection,
            [
                "collection": ["name": .text(CrashTests.collection), "vectorSpaces": [["index": index]]],
                "updateMask": "vectorSpaces",
            ])
    }

    /// Returns when the server is dead and all writers know it.
    private func killWhileWriting(after requests: Int, microseconds: Int) throws {
        let countdown = Countdown(requests, writers: writers.count)
        let connection = server.connection
        let threads = Threads()
        for writer in writers {
            threads.start {
                writer.run(connection) { countdown.step() }
                countdown.leave()
            }
        }
        try #require(countdown.wait(), "the writers have failed before the server was killed")
        let killed = DispatchSemaphore(value: 0)
        let server = server
        DispatchQueue.global().asyncAfter(deadline: .now() + .microseconds(microseconds)) {
            server.kill()
            killed.signal()
        }
        killed.wait()
        threads.join()
    }

    private func check(_ replay: ChangeReplay, _ recall: inout Recall, _ random: inout SeededGenerator) throws {
        let connection = server.connection
        try replay.catchUp(connection)
        let points = try connection.export(CrashTests.collection)
        #expect(points == replay.points)
        #expect(try connection.count(CrashTests.collection) == UInt64(points.count))
        for writer in writers { writer.check(points, shardOf: replay.shards) }
        let vectors = points.mapValues { $0.vectors[""].map(CrashTests.floats) ?? [] }
        for _ in 0..<5 {
            let query = random.floats(CrashWriter.dimension)
            let nearest = BruteForce.nearest(10, to: query, in: vectors)
            let exact = try search(query, exact: true)
            #expect(exact.map(\.key) == nearest.map(\.key))
            for (found, expected) in zip(exact, nearest) { #expect(abs(found.score - expected.distance.squareRoot()) < 1e-3) }
            let graph = try search(query, exact: false)
            #expect(graph.allSatisfy { vectors[$0.key] != nil }, "a search found a point that is not there")
            recall.add(found: graph.map(\.key), nearest: nearest.map(\.key))
        }
    }

    private func search(_ query: [Float], exact: Bool) throws -> [(key: PointKey, score: Float)] {
        try server.connection.search(CrashTests.collection, Make.vector(query), ["parameters": ["exact": .bool(exact)]]).map {
            (PointKey($0["id"]["number"].integer ?? 0), Float($0["score"].double ?? -1))
        }
    }

    private static func floats(_ base64: String) -> [Float] {
        let bytes = [UInt8](Data(base64Encoded: base64) ?? Data())
        return stride(from: 0, to: bytes.count - 3, by: 4).map { start in
            Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) })
        }
    }
}
