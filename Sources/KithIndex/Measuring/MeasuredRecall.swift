public import Foundation

/// The recall of searches as they were served: a sample of real queries, compared with exact answers afterwards.
public struct MeasuredRecall: Sendable, Equatable {
    /// The share of the true nearest that was answered, 0 to 1.
    public var value: Double
    /// Of `value`, by which it may be off by chance.
    public var standardError: Double
    /// Queries compared; at most `Limits.measuredQueries`, the newest.
    public var queries: Int
    /// When the last of them was compared.
    public var at: Date

    public init(value: Double, standardError: Double, queries: Int, at: Date) {
        self.value = value
        self.standardError = standardError
        self.queries = queries
        self.at = at
    }

    /// Of shards together, each weighing as much as it has queries; nil where nothing was measured.
    public static func combined(_ parts: [MeasuredRecall]) -> MeasuredRecall? {
        let queries = parts.reduce(0) { $0 + $1.queries }
        guard queries > 0, let at = parts.map(\.at).max() else { return nil }
        func share(_ part: MeasuredRecall) -> Double { Double(part.queries) / Double(queries) }
        return MeasuredRecall(
            value: parts.reduce(0) { $0 + share($1) * $1.value },
            standardError: parts.reduce(0) { $0 + share($1) * share($1) * $1.standardError * $1.standardError }.squareRoot(),
            queries: queries, at: at)
    }
}
