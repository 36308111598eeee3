internal import Foundation

/// A table as attributes of a checkpoint, and back, to the bit: a reopened index searches as it did.
extension EffortTable {
    private static let recallPrefix = "recall_"
    private static let growthPrefix = "effort_among_"

    private static func name(size: Int, effort: Int) -> String { "\(recallPrefix)\(EffortLadder.sizes[size])_\(effort)" }

    package var attributes: [String: UInt64] {
        var attributes: [String: UInt64] = [
            "calibrated": UInt64(linkedCount), "calibrated_vectors": UInt64(vectors), "calibrated_samples": UInt64(samples),
            "calibrated_at": UInt64(max(at.timeIntervalSince1970, 0) * 1_000), "calibrated_growth": growth == nil ? 0 : 1,
        ]
        for (size, curve) in curves.enumerated() {
            for point in curve {
                attributes[Self.name(size: size, effort: point.effort)] = UInt64(point.recall.bitPattern)
            }
        }
        for milestone in growth?.milestones ?? [] {
            let name = "\(Self.growthPrefix)\(milestone.vectors)"
            attributes[name] = milestone.effort.bitPattern
            attributes["\(name)_samples"] = UInt64(milestone.samples)
        }
        return attributes
    }

    /// Nil where the attributes hold no table, or one that cannot have been measured.
    package init?(_ attributes: [String: UInt64]) {
        func number(_ name: String) -> UInt32? { attributes[name].flatMap(UInt32.init(exactly:)) }
        guard let linkedCount = number("calibrated"), let vectors = number("calibrated_vectors"),
            let samples = number("calibrated_samples"), let at = attributes["calibrated_at"],
            let grows = attributes["calibrated_growth"]
        else { return nil }
        self.init(
            linkedCount: linkedCount, vectors: vectors, samples: Int(samples),
            at: Date(timeIntervalSince1970: Double(at) / 1_000), growth: grows == 0 ? nil : EffortGrowth(attributes))
        for size in EffortLadder.sizes.indices {
            for effort in EffortLadder.efforts {
                guard let value = attributes[Self.name(size: size, effort: effort)] else { continue }
                guard let recall = UInt32(exactly: value).map(Float.init(bitPattern:)), (0...1).contains(recall) else {
                    return nil
                }
                add(Point(effort: effort, recall: recall), size: size)
            }
        }
        if curves.allSatisfy(\.isEmpty) { return nil }
    }
}

extension EffortGrowth {
    fileprivate init(_ attributes: [String: UInt64]) {
        self.init()
        let prefix = "effort_among_"
        let sizes = attributes.keys.filter { $0.hasPrefix(prefix) }.compactMap { UInt32($0.dropFirst(prefix.count)) }
        for vectors in sizes.sorted() {
            guard let effort = attributes["\(prefix)\(vectors)"].map(Double.init(bitPattern:)), effort.isFinite, effort > 0,
                let count = attributes["\(prefix)\(vectors)_samples"].flatMap(Int.init(exactly:))
            else { continue }
            add(Milestone(vectors: vectors, effort: effort, samples: count))
        }
    }
}
