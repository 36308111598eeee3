public import KithCore
import KithIndex

/// An index over a sample of vectors, to measure what recall it reaches and how fast.
public struct IndexTrial: Sendable {
    /// What was measured.
    public struct Result: Sendable {
        /// Candidates that a search keeps.
        public var effort: Int
        public var recall: Double
        /// Of one thread.
        public var searchesPerSecond: Double
        public var linkedPerSecond: Double
    }

    /// Neighbours that are asked for.
    public static let topK = 10
    /// Vectors of the sample that are asked for rather than indexed.
    public static let queries = 200

    private let sample: VectorSample
    private let truth: [Set<UInt32>]

    /// Finds the exact answers. O(queries x sample).
    public init(_ sample: VectorSample) throws(KithError) {
        self.sample = sample
        let flat = try FlatIndexMaker().make(sample.context)
        truth = try (0..<Self.queries).map { (number) throws(KithError) in
            Set(try flat.search(IndexQuery(vector: sample.query(number), topK: Self.topK), in: sample.snapshot).map(\.slot))
        }
    }

    /// Builds the index, and finds the least effort that reaches the recall; the most that there is, where none does.
    public func measure(_ definition: IndexDefinition, recall target: Double) throws(KithError) -> Result {
        var context = sample.context
        context.space.index = definition
        let index = try IndexRegistry.builtIn.maker(definition.kind).make(context)
        let began = ContinuousClock.now
        let count = sample.snapshot.slotCount
        while index.linkedCount < count { _ = try index.link(upTo: count, limit: 4_096) }
        let linking = ContinuousClock.now - began
        var result = Result(effort: Self.topK, recall: 0, searchesPerSecond: 0, linkedPerSecond: Double(count) / linking.seconds)
        while true {
            let began = ContinuousClock.now
            result.recall = try recall(index, effort: result.effort)
            result.searchesPerSecond = Double(Self.queries) / (ContinuousClock.now - began).seconds
            if result.recall >= target || result.effort * 2 > Limits.searchEffort || result.effort > Int(count) { return result }
            result.effort += max(result.effort / 4, 1)
        }
    }

    private func recall(_ index: any VectorIndex, effort: Int) throws(KithError) -> Double {
        var found = 0
        for (number, truth) in truth.enumerated() {
            let query = IndexQuery(vector: sample.query(number), topK: Self.topK, effort: effort)
            found += try index.search(query, in: sample.snapshot).count { truth.contains($0.slot) }
        }
        return Double(found) / Double(max(truth.reduce(0) { $0 + $1.count }, 1))
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
