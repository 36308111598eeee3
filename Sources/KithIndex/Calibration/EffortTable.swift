internal import Foundation
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

    /// The answer sizes that are measured; between them efforts are interpolated.
    package static let sizes = [1, 10, 30, 100]
    static let largestSize = 100
    /// The efforts that are tried, in order, until nothing is left to gain.
    package static let efforts = [
        10, 14, 20, 30, 42, 60, 80, 100, 140, 200, 280, 400, 560, 800, 1_120, 1_600, 2_240, 3_200, 4_480, 6_400, 8_960,
    ]

    /// By answer size, as in `sizes`: points of rising effort. Empty where nothing was measured.
    private(set) var curves: [[Point]] = sizes.map { _ in [] }
    /// The slots that were linked when it was measured.
    package let linkedCount: UInt32

    package init(linkedCount: UInt32) { self.linkedCount = linkedCount }

    /// Adds a measurement with more effort than those before. A recall below theirs is noise, and counts as theirs.
    package mutating func add(_ point: Point, size: Int) {
        let least = curves[size].last?.recall ?? 0
        curves[size].append(Point(effort: point.effort, recall: max(point.recall, least)))
    }

    /// The effort that finds `recall` of the nearest `topK`, by interpolation between what was measured. O(points).
    package func effort(topK: Int, recall: Float) -> Int {
        let efforts = curves.map { EffortTable.effort(for: recall, on: $0) }
        guard let above = EffortTable.sizes.firstIndex(where: { $0 >= topK }) else {
            // Beyond the last size an effort grows with the answer.
            return EffortTable.limited(efforts[efforts.count - 1] * Float(topK) / Float(EffortTable.largestSize))
        }
        guard above > 0, EffortTable.sizes[above] != topK else { return EffortTable.limited(efforts[above]) }
        let sizes = EffortTable.sizes[above - 1...above].map { log(Float($0)) }
        let share = (log(Float(topK)) - sizes[0]) / (sizes[1] - sizes[0])
        return EffortTable.limited(exp(log(efforts[above - 1]) * (1 - share) + log(efforts[above]) * share))
    }

    private static func limited(_ effort: Float) -> Int { max(Int(min(effort.rounded(), Float(Limits.searchEffort))), 1) }

    private static func effort(for recall: Float, on curve: [Point]) -> Float {
        guard let above = curve.firstIndex(where: { $0.recall >= recall }) else {
            // Beyond what was measured, misses are taken to fall as the effort grows.
            guard let last = curve.last else { return Float(Limits.searchEffort) }
            return Float(last.effort) * (1 - last.recall) / max(1 - recall, 1e-4)
        }
        guard above > 0 else { return Float(curve[0].effort) }
        let (low, high) = (curve[above - 1], curve[above])
        let share = (recall - low.recall) / (high.recall - low.recall)
        return exp(log(Float(low.effort)) * (1 - share) + log(Float(high.effort)) * share)
    }
}

// MARK: In a checkpoint

extension EffortTable {
    private static let scale: Float = 1_000_000

    private static func name(size: Int, effort: Int) -> String { "recall_\(sizes[size])_\(effort)" }

    /// The table as attributes of a checkpoint.
    package var attributes: [String: UInt64] {
        var attributes: [String: UInt64] = ["calibrated": UInt64(linkedCount)]
        for (size, curve) in curves.enumerated() {
            for point in curve {
                attributes[EffortTable.name(size: size, effort: point.effort)] = UInt64(point.recall * EffortTable.scale)
            }
        }
        return attributes
    }

    /// Nil where the attributes hold no table, or one that cannot have been measured.
    package init?(_ attributes: [String: UInt64]) {
        guard let calibrated = attributes["calibrated"].flatMap(UInt32.init(exactly:)) else { return nil }
        self.init(linkedCount: calibrated)
        for size in EffortTable.sizes.indices {
            for effort in EffortTable.efforts {
                guard let value = attributes[EffortTable.name(size: size, effort: effort)] else { continue }
                guard value <= UInt64(EffortTable.scale) else { return nil }
                add(Point(effort: effort, recall: Float(value) / EffortTable.scale), size: size)
            }
        }
        if curves.contains(where: \.isEmpty) { return nil }
    }
}
