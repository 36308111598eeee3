import Foundation
import KithCore
import KithIndex
import Testing

/// Every kind through random lives, its invariants checked and its answers compared with a plain scan after each step.
@Suite struct RandomOperationsTests {
    /// A kind, over the rows as they are or over what a matrix makes of them.
    struct Case: CustomTestStringConvertible {
        var kind: String
        var isTransformed: Bool
        var testDescription: String { isTransformed ? "\(kind), transformed" : kind }

        static let all = IndexRegistry.builtIn.kinds.flatMap { kind in
            [false, true].map { Case(kind: kind, isTransformed: $0) }
        }

        var space: VectorSpace {
            var parameters: [String: String] = [:]
            if kind.hasPrefix("ivf") { parameters["train_at"] = "300" }
            if isTransformed { parameters["mahalanobis"] = Case.identity }
            return .test(Case.dimension, index: kind, parameters)
        }

        private static let dimension = 16

        /// With it transformed distances are what a plain scan gives.
        private static let identity: String = {
            var bytes = Data()
            for row in 0..<dimension {
                for column in 0..<dimension {
                    withUnsafeBytes(of: Float(row == column ? 1 : 0).bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
                }
            }
            return bytes.base64EncodedString()
        }()
    }

    private static let steps = 40

    @Test("any order of changes leaves it whole and its answers true", arguments: Case.all, [1, 2, 3] as [UInt64])
    func anyOrder(_ test: Case, _ seed: UInt64) throws {
        try IndexRegistry.builtIn.maker(test.kind).check(test.space)
        var life = try Life(test.space, seed: seed)
        for _ in 0..<RandomOperationsTests.steps { try life.step() }
        try life.settle()
    }
}

/// An index and the rows it is over, as they change.
private struct Life {
    private let rows: TestRows
    private var index: any VectorIndex
    private var position: LogPosition = 1
    /// What searches there are may stand at: none is older than the index.
    private var oldest: LogPosition = 1
    private var random: SeededRandom

    init(_ space: VectorSpace, seed: UInt64) throws {
        rows = try TestRows(space, capacity: 10_000, seed: seed)
        random = SeededRandom(seed)
        index = try rows.makeIndex()
    }

    private var living: [UInt32] { (0..<rows.count).filter { !rows.deaths.isDead($0) } }

    mutating func step() throws {
        let size = Int.random(in: 1...200, using: &random)
        switch UInt32.random(in: 0..<10, using: &random) {
        case 0..<2: rows.appendRandom(size)
        case 2: kill(size)
        case 3..<6: update(size)
        case 6..<9: _ = try index.link(upTo: rows.count, limit: size, inHurry: Bool.random(using: &random))
        default:
            index = try rows.restore(rows.reread(index.checkpoint()))
            oldest = position
        }
        try check()
    }

    /// Does what work there is, and looks once more.
    mutating func settle() throws {
        try index.linkAll(upTo: rows.count)
        try check()
    }

    private mutating func kill(_ count: Int) {
        position += 1
        for slot in living.shuffled(using: &random).prefix(count) { rows.deaths.kill(slot, at: position) }
    }

    private mutating func update(_ count: Int) {
        let replaced = min(count, living.count)
        kill(replaced)
        rows.appendRandom(replaced)
    }

    private func check() throws {
        if index.linkableSlots > 0 { try #require(index as? any CheckableIndex).checkInvariants() }
        // As it is, and as it was before the last deaths.
        for position in [position, max(position - 1, oldest)] {
            let snapshot = rows.snapshot(at: position)
            let vector = rows.randomQuery()
            let all = try rows.sorted(vector, in: snapshot)
            #expect(try index.search(IndexQuery(vector: vector, topK: 10, exact: true), in: snapshot) == Array(all.prefix(10)))
            let answer = try index.search(IndexQuery(vector: vector, topK: 10), in: snapshot)
            // What is answered is there, once, in order; and what is not linked yet is never missed.
            #expect(answer == answer.sorted { ($0.distance, $0.slot) < ($1.distance, $1.slot) })
            #expect(Set(answer).isSubset(of: all) && Set(answer).count == min(10, all.count))
            #expect(all.prefix(10).filter { $0.slot >= index.linkedCount }.allSatisfy(answer.contains))
        }
    }
}
