import Foundation
import KithCore
import KithIndex
import Testing

@Suite struct EffortTableTests {
    private static let efforts = [10, 14, 20, 28, 40, 57, 80, 100, 140, 200, 280]

    /// Of answers of 1, 10 and 100: recall rises from 0.5 by a tenth an effort; larger answers need the next effort.
    private func table(growth: EffortGrowth? = nil) -> EffortTable {
        var table = EffortTable(
            linkedCount: 12_000, vectors: 10_000, samples: 900, at: Date(timeIntervalSince1970: 1_700_000_000.5), growth: growth)
        for size in 0..<3 {
            for (step, effort) in Self.efforts.enumerated() where step >= size {
                table.add(EffortTable.Point(effort: effort, recall: min(0.5 + 0.1 * Float(step - size), 0.98)), size: size)
            }
        }
        return table
    }

    private func effort(_ table: EffortTable, topK: Int = 10, recall: Float, vectors: UInt32 = 10_000) throws -> Double {
        try #require(table.effort(topK: topK, recall: recall, vectors: vectors))
    }

    @Test func whatWasMeasuredIsAnswered() throws {
        let table = table()
        #expect(abs(try effort(table, topK: 1, recall: 0.6) - 14) < 0.01)
        #expect(abs(try effort(table, topK: 10, recall: 0.6) - 20) < 0.01)
        #expect(abs(try effort(table, topK: 100, recall: 0.5) - 20) < 0.01)
    }

    @Test func betweenIsInterpolatedAndBeyondExtrapolated() throws {
        let table = table()
        let between = try effort(table, recall: 0.65)
        #expect(between > 20 && between < 28)
        let sizes = try [1, 5, 10, 20, 30, 60, 100, 200, 1_000].map { try effort(table, topK: $0, recall: 0.8) }
        #expect(sizes == sizes.sorted())
        let targets: [Float] = [0.5, 0.7, 0.9, 0.98, 0.99, 0.999, 1]
        let efforts = try targets.map { try effort(table, recall: $0) }
        #expect(efforts == efforts.sorted())
        #expect(efforts.allSatisfy { $0 <= Double(Limits.searchEffort) })
    }

    @Test func aLargerAnswerMayNeedLess() throws {
        var table = EffortTable(linkedCount: 1, vectors: 1, samples: 1, at: Date())
        for (size, effort) in [4, 2, 1].enumerated() { table.add(EffortTable.Point(effort: effort, recall: 0.9), size: size) }
        #expect(try [1, 10, 100].map { try effort(table, topK: $0, recall: 0.9, vectors: 1) } == [4, 2, 1])
    }

    @Test func betweenTwoWholeEffortsIsAFraction() throws {
        var table = EffortTable(linkedCount: 1, vectors: 1, samples: 1, at: Date())
        for (effort, recall) in [(1, Float(0.5)), (2, 0.75)] {
            table.add(EffortTable.Point(effort: effort, recall: recall), size: 1)
        }
        #expect(abs(try effort(table, recall: 0.6, vectors: 1) - 1.4) < 1e-5)
    }

    @Test func aLowerRecallWithMoreEffortIsNoise() throws {
        var table = EffortTable(linkedCount: 1, vectors: 1, samples: 1, at: Date())
        for (effort, recall) in zip([10, 20, 30], [Float(0.8), 0.79, 0.9]) {
            table.add(EffortTable.Point(effort: effort, recall: recall), size: 1)
        }
        #expect(try effort(table, recall: 0.8, vectors: 1) == 10)
        #expect(try effort(table, recall: 0.81, vectors: 1) > 20)
    }

    @Test("measurements end where next to nothing is missed, or gained by twice as much")
    func highestEfforts() {
        func highest(_ recalls: [Float]) -> Int? {
            var table = EffortTable(linkedCount: 12_000, vectors: 10_000, samples: 900, at: Date())
            for (effort, recall) in zip(Self.efforts, recalls) { table.add(.init(effort: effort, recall: recall), size: 0) }
            return table.highestEfforts[0]
        }
        #expect(highest([0.9, 0.95, 0.9985, 0.999]) == 28)
        // Equals of which one is found: more effort finds no more.
        #expect(highest([0.9, 0.95, 0.97, 0.97, 0.9705, 0.971]) == 40)
        #expect(highest([0.9, 0.95, 0.97, 0.98]) == nil)
        #expect(highest([0.9, 0.95, 0.97, 0.971]) == nil)
        #expect(highest([]) == nil)
    }

    @Test func nothingMeasuredSaysNothing() {
        #expect(EffortTable(linkedCount: 1, vectors: 1, samples: 0, at: Date()).effort(topK: 10, recall: 0.9, vectors: 1) == nil)
    }

    @Test func effortsGrowAsTheyDidBefore() throws {
        var growth = EffortGrowth()
        let usual = growth.exponent
        for (vectors, effort) in [(10_000, 20.0), (40_000, 40.0), (160_000, 80.0)] {
            growth.add(EffortGrowth.Milestone(vectors: UInt32(vectors), effort: effort, samples: 100))
        }
        #expect(abs(growth.exponent - 0.5) < 1e-6)
        // Too near to the last one to tell more: it takes its place.
        growth.add(EffortGrowth.Milestone(vectors: 161_000, effort: 80, samples: 100))
        #expect(growth.milestones.count == 3)
        let table = table(growth: growth)
        #expect(abs(try effort(table, recall: 0.6, vectors: 40_000) - 40) < 0.1)
        #expect(usual > 0)
    }

    @Test func attributesHoldTheTable() throws {
        var growth = EffortGrowth()
        for (vectors, effort) in [(10_000, 20.0), (40_000, 30.5)] {
            growth.add(EffortGrowth.Milestone(vectors: UInt32(vectors), effort: effort, samples: 70))
        }
        let table = table(growth: growth)
        let read = try #require(EffortTable(table.attributes))
        for topK in [1, 7, 10, 100, 500] {
            for recall: Float in [0.5, 0.83, 0.97, 0.99] {
                let efforts = try [read, table].map { try effort($0, topK: topK, recall: recall, vectors: 20_000) }
                #expect(abs(efforts[0] - efforts[1]) < 0.01 * efforts[1])
            }
        }
        #expect(read.linkedCount == 12_000 && read.vectors == 10_000 && read.samples == 900 && read.at == table.at)
        #expect(read.growth == growth && read.curves == table.curves)
    }

    @Test func attributesThatHoldNoneAreRefused() {
        #expect(EffortTable([:]) == nil)
        #expect(EffortTable(["calibrated": 5]) == nil)
        for damage in ["calibrated", "calibrated_vectors", "calibrated_samples", "recall_10_14"] {
            var attributes = table().attributes
            attributes[damage] = .max
            #expect(EffortTable(attributes) == nil, "\(damage)")
        }
    }
}
