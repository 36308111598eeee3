internal import Foundation

/// How the effort for a recall grows with an index, learned from one calibration after another: as a power of the number of vectors.
package struct EffortGrowth: Equatable, Sendable {
    /// What a calibration found: so much effort for the recall at which growth is measured.
    package struct Milestone: Equatable, Sendable {
        package var vectors: UInt32
        package var effort: Double
        package var samples: Int

        package init(vectors: UInt32, effort: Double, samples: Int) {
            self.vectors = vectors
            self.effort = effort
            self.samples = samples
        }
    }

    /// Answers of this size (of `EffortLadder.sizes`) and this recall are what growth is measured at.
    static let (size, recall): (Int, Float) = (1, 0.95)
    /// Milestones kept: an index has doubled so often since the first.
    private static let most = 8
    /// What to reckon with until it is known, and what it can be.
    private static let (usual, range) = (0.15, 0...0.5)
    /// How much longer than a doubling, in logarithms of vectors, the milestones must span to be believed.
    private static let shortestSpan = log(1.5)

    package private(set) var milestones: [Milestone] = []

    package init() {}

    /// Takes in another milestone; one at a like size takes the place of the last.
    package mutating func add(_ milestone: Milestone) {
        milestones.removeAll { Double($0.vectors) * 1.5 > Double(milestone.vectors) }
        milestones.append(milestone)
        milestones.removeFirst(max(0, milestones.count - Self.most))
    }

    /// The power, by least squares, each milestone weighing as much as it has samples.
    package var exponent: Double {
        let weight = milestones.reduce(0.0) { $0 + Double($1.samples) }
        guard let first = milestones.first, let last = milestones.last, weight > 0,
            log(Double(last.vectors) / Double(first.vectors)) >= Self.shortestSpan
        else { return Self.usual }
        func mean(_ value: (Milestone) -> Double) -> Double {
            milestones.reduce(0) { $0 + Double($1.samples) * value($1) } / weight
        }
        let (x, y) = (mean { log(Double($0.vectors)) }, mean { log($0.effort) })
        let covariance = mean { (log(Double($0.vectors)) - x) * (log($0.effort) - y) }
        let variance = mean { (log(Double($0.vectors)) - x) * (log(Double($0.vectors)) - x) }
        return min(max(covariance / variance, Self.range.lowerBound), Self.range.upperBound)
    }
}
