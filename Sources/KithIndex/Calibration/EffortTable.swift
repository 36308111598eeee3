package import Foundation
internal import KithCore

/// What recall an index reached with what effort, measured on its own vectors; answers the effort for a wanted recall.
package struct EffortTable: Equatable, Sendable {
    /// One measurement: the share of the nearest `k` that were found with this effort.
    package struct Point: Equatable, Sendable {
        package var effort: Int
        package var recall: Float

        package init(effort: Int, recall: Float) {
            self.effort = effort
            self.recall = recall
        }
    }

    /// By answer size, as in `EffortLadder.sizes`: points of rising effort. Empty where nothing was measured.
    package private(set) var curves: [[Point]] = EffortLadder.sizes.map { _ in [] }
    /// The slots that were linked when it was measured.
    package let linkedCount: UInt32
    /// The number of vectors that the efforts are for.
    package let vectors: UInt32
    /// The queries it was measured with.
    package let samples: Int
    /// When.
    package let at: Date
    /// What becomes of efforts as the index grows; nil: nothing.
    package var growth: EffortGrowth?

    package init(linkedCount: UInt32, vectors: UInt32, samples: Int, at: Date, growth: EffortGrowth? = nil) {
        self.linkedCount = linkedCount
        self.vectors = max(vectors, 1)
        self.samples = samples
        self.at = at
        self.growth = growth
    }

    /// Adds a measurement with more effort than those before. A recall below theirs is noise, and counts as theirs.
    package mutating func add(_ point: Point, size: Int) {
        let least = curves[size].last?.recall ?? 0
        curves[size].append(Point(effort: point.effort, recall: max(point.recall, least)))
    }

    /// With itself as a milestone of growth.
    var withGrowth: EffortTable {
        var table = self
        let curve = curves[EffortGrowth.size]
        if let last = curve.last, last.recall >= EffortGrowth.recall, samples > 0,
            let effort = EffortTable.effort(for: EffortGrowth.recall, on: curve)
        {
            table.growth?.add(EffortGrowth.Milestone(vectors: vectors, effort: effort, samples: samples))
        }
        return table
    }

    /// The effort that finds `recall` of the nearest `topK` among so many vectors, by interpolation between what was measured; nil where
    /// nothing was. O(points).
    package func effort(topK: Int, recall: Float, vectors: UInt32) -> Double? {
        let efforts = curves.map { EffortTable.effort(for: recall, on: $0) }
        let sizes = EffortLadder.sizes
        // Of sizes that were measured, the two that are nearest to the one wanted.
        let known = sizes.indices.filter { efforts[$0] != nil }
        guard let last = known.last else { return nil }
        let above = known.first { sizes[$0] >= topK } ?? last
        let below = known.last { $0 < above } ?? above
        guard let low = efforts[below], let high = efforts[above] else { return nil }
        var effort = high
        if below != above {
            let share = log(Double(topK) / Double(sizes[below])) / log(Double(sizes[above]) / Double(sizes[below]))
            // Beyond the last size an effort is no less than there.
            effort = low * pow(share > 1 ? max(high / low, 1) : high / low, share)
        }
        if let growth { effort *= pow(Double(max(vectors, 1)) / Double(self.vectors), growth.exponent) }
        return min(max(effort, 1), Double(Limits.searchEffort))
    }

    /// Misses below which nothing can be told apart.
    private static let fewestMisses = 1e-5

    /// Nil where nothing was measured.
    private static func effort(for recall: Float, on curve: [Point]) -> Double? {
        guard let last = curve.last else { return nil }
        let misses = max(Double(1 - recall), fewestMisses)
        func missed(_ point: Point) -> Double { max(Double(1 - point.recall), fewestMisses) }
        guard let above = curve.firstIndex(where: { $0.recall >= recall }) else {
            // Beyond what was measured, misses are taken to fall as the effort grows.
            return Double(last.effort) * missed(last) / misses
        }
        guard above > 0 else { return Double(curve[0].effort) }
        let (low, high) = (curve[above - 1], curve[above])
        if high.effort == low.effort + 1 {
            // Some of the searches make the one effort, some the other.
            return Double(low.effort) + (missed(low) - misses) / (missed(low) - missed(high))
        }
        // Misses fall with a power of the effort.
        let share = log(missed(low) / misses) / log(missed(low) / missed(high))
        return Double(low.effort) * pow(Double(high.effort) / Double(low.effort), share)
    }

    /// What is missed by the most effort that is worth measuring, or gained by twice as much.
    static let worthMeasuring: Float = 0.002

    /// By size, the most effort that a measurement need make: that which missed next to nothing, and a step more; or twice that from which on next to nothing
    /// was gained, for what is missed then, such as one of two equals, no effort finds. Nil: as much as there is.
    package var highestEfforts: [Int?] {
        curves.map { curve in
            if let enough = curve.first(where: { $0.recall >= 1 - Self.worthMeasuring }) {
                return EffortLadder.efforts.first { $0 > enough.effort }
            }
            guard let last = curve.last, let enough = curve.first(where: { $0.recall > last.recall - Self.worthMeasuring }),
                2 * enough.effort <= last.effort
            else { return nil }
            return EffortLadder.efforts.first { $0 >= 2 * enough.effort }
        }
    }
}
