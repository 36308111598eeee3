import KithCore
import KithIndex
import Testing

@Suite struct EffortTableTests {
    /// Recall rises from 0.5 by a tenth an effort; larger answers need the next effort.
    private var table: EffortTable {
        var table = EffortTable(linkedCount: 10_000)
        for size in EffortTable.sizes.indices {
            for (step, effort) in EffortTable.efforts.enumerated() where effort >= EffortTable.sizes[size] {
                table.add(EffortTable.Point(effort: effort, recall: min(0.5 + 0.1 * Float(step - size), 0.98)), size: size)
            }
        }
        return table
    }

    @Test func whatWasMeasuredIsAnswered() {
        #expect(table.effort(topK: 1, recall: 0.6) == 14)
        #expect(table.effort(topK: 10, recall: 0.6) == 20)
        #expect(table.effort(topK: 30, recall: 0.5) == 30)
    }

    @Test func betweenIsInterpolatedAndBeyondExtrapolated() {
        let between = table.effort(topK: 10, recall: 0.65)
        #expect(between > 20 && between < 30)
        let sizes = [1, 5, 10, 20, 30, 60, 100, 200, 1_000].map { table.effort(topK: $0, recall: 0.8) }
        #expect(sizes == sizes.sorted())
        let targets: [Float] = [0.5, 0.7, 0.9, 0.98, 0.99, 0.999, 1]
        let efforts = targets.map { table.effort(topK: 10, recall: $0) }
        #expect(efforts == efforts.sorted())
        #expect(efforts.allSatisfy { $0 <= Limits.searchEffort })
    }

    @Test func aLowerRecallWithMoreEffortIsNoise() {
        var table = EffortTable(linkedCount: 1)
        for size in EffortTable.sizes.indices {
            for (effort, recall) in zip([10, 20, 30], [Float(0.8), 0.79, 0.9]) {
                table.add(EffortTable.Point(effort: effort, recall: recall), size: size)
            }
        }
        #expect(table.effort(topK: 1, recall: 0.8) == 10)
        #expect(table.effort(topK: 1, recall: 0.81) > 20)
    }

    @Test func attributesHoldTheTable() throws {
        let read = try #require(EffortTable(table.attributes))
        for topK in [1, 7, 10, 100, 500] {
            for recall: Float in [0.5, 0.83, 0.97, 0.99] {
                #expect(abs(read.effort(topK: topK, recall: recall) - table.effort(topK: topK, recall: recall)) <= 1)
            }
        }
        #expect(read.linkedCount == 10_000)
    }

    @Test func attributesThatHoldNoneAreRefused() {
        #expect(EffortTable([:]) == nil)
        #expect(EffortTable(["calibrated": 5]) == nil)
        for damage in ["calibrated", "recall_10_14"] {
            var attributes = table.attributes
            attributes[damage] = .max
            #expect(EffortTable(attributes) == nil, "\(damage)")
        }
    }
}
