public import Foundation

/// What an index knows of the effort that a recall takes.
public struct IndexCalibration: Sendable, Equatable {
    /// So much effort for a recall of answers of ten.
    public struct Effort: Sendable, Equatable {
        public var recall: Double
        public var effort: Double
    }

    /// Slots that were linked when it was measured.
    public var linkedVectors: UInt32
    /// Vectors it was measured with, as queries.
    public var queries: Int
    /// When.
    public var at: Date
    /// As it is reckoned for the index of now.
    public var efforts: [Effort]

    /// Recalls that `efforts` tells of.
    private static let recalls: [Float] = [0.8, 0.9, 0.95, 0.99]

    init(_ table: EffortTable, vectors: UInt32) {
        linkedVectors = table.linkedCount
        queries = table.samples
        at = table.at
        efforts = Self.recalls.compactMap { recall in
            table.effort(topK: 10, recall: recall, vectors: vectors).map { Effort(recall: Double(recall), effort: $0) }
        }
    }
}

/// An index that measures what recall takes.
public protocol CalibratedIndex: AnyObject, Sendable {
    /// Nil until it has measured.
    var calibration: IndexCalibration? { get }
}
