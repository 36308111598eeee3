import Foundation
import KithCollections
import KithIndex

/// A `MeasuredRecall`.
struct MeasuredRecallMessage: Codable {
    var value: Double
    var standardError: Double
    var queries: Int
    var measuredAt: String

    init(_ measured: MeasuredRecall) {
        value = measured.value
        standardError = measured.standardError
        queries = measured.queries
        measuredAt = Timestamp.text(measured.at)
    }
}

/// A `RecallCalibration`.
struct CalibrationMessage: Codable {
    struct Effort: Codable {
        var recall: Double
        var effort: Double
    }
    var shard: UInt32
    var linkedVectors: String
    var queries: Int
    var calibratedAt: String
    var efforts: [Effort]

    init(_ calibration: CollectionStats.Calibration) {
        shard = UInt32(calibration.shard)
        linkedVectors = "\(calibration.calibration.linkedVectors)"
        queries = calibration.calibration.queries
        calibratedAt = Timestamp.text(calibration.calibration.at)
        efforts = calibration.calibration.efforts.map { Effort(recall: $0.recall, effort: $0.effort) }
    }
}

extension Timestamp {
    static func text(_ date: Date) -> String { text(Int64(date.timeIntervalSince1970 * 1e6)) }
}
