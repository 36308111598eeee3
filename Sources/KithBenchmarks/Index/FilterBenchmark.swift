import Foundation
import KithCore
import KithIndex

/// Filtered searches: what a filter costs, from all that match down to one in ten thousand.
enum FilterBenchmark {
    static let description = Benchmark(
        name: "filter", summary: "Filtered searches by selectivity, matches at random or near to each other: recall and speed",
        options: Dataset.options + IndexChoice.options + [
            ("selectivity LIST", "shares that match (1,0.5,0.2,0.1,0.05,0.02,0.01,0.001,0.0001)"),
            ("recall N", "target for recall@10 (0.95)"), Run.secondsOption,
        ], run: run)

    /// Where the matches lie.
    private enum Layout: String, CaseIterable {
        /// Anywhere.
        case random
        /// Around one vector, wherever the queries are.
        case crowd
        /// Around one vector, and only the queries nearest to it are asked.
        case nearby
    }

    /// Of all queries, those asked of a crowd nearby.
    private static let nearbyShare = 10

    private static func run(_ run: Run) throws(KithError) {
        let definitions = try IndexChoice.definitions(run.options, standard: [IndexDefinition.defaultKind])
        let data = try Dataset(
            run, count: run.pick(tiny: 3_000, moderate: 50_000, full: 100_000),
            dimension: run.pick(tiny: 16, moderate: 128, full: 128),
            queries: run.pick(tiny: 50, moderate: 500, full: 1_000), index: definitions[0])
        let shares = try run.options.list(
            "selectivity",
            run.pick(
                tiny: [1, 0.1, 0.001], moderate: [1, 0.5, 0.1, 0.01, 0.001, 0.0001],
                full: [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001, 0.0001]))
        guard shares.allSatisfy({ $0 > 0 && $0 <= 1 }) else { throw .usage("--selectivity holds shares above 0, at most 1") }
        for definition in definitions {
            let built = try BuiltIndex(definition, over: data.base)
            var table = ResultTable(
                "filter",
                "filtered search, \(data.name), \(data.base.count) x \(data.space.dimension) \(data.space.element), "
                    + "\(definition.kind), top \(Dataset.topK), 1 thread")
            let crowd = try Crowd(data)
            for share in shares {
                for layout in Layout.allCases where share < 1 || layout == .random {
                    try measure(run, data, built, crowd, share, layout, into: &table)
                }
            }
            run.report.add(table)
        }
    }

    private static func measure(
        _ run: Run, _ data: Dataset, _ built: BuiltIndex, _ crowd: Crowd, _ share: Double, _ layout: Layout,
        into table: inout ResultTable
    ) throws(KithError) {
        let count = max(1, Int((Double(data.base.count) * share).rounded()))
        let filter = layout == .random ? crowd.scattered(count) : crowd.nearest(count)
        let queries = layout == .nearby ? try crowd.nearbyQueries(data, share: nearbyShare) : data.queries
        let truth = try Truth(exact: data.base, queries, in: data.base.snapshot, filter: filter)
        let searches = IndexSearches(built.index, data.base, queries, truth, filter: filter)
        let target = try run.options.decimal("recall") ?? 0.95
        let found = try searches.effort(reaching: target, isExact: built.isExact)
        let load = try searches.load(effort: found.effort, threads: 1, seconds: try run.seconds() / 2)
        table.add([
            "matches": .text(layout.rawValue), "selectivity": .decimal(share, places: 5), "matching": .count(count),
            "recall": .decimal(found.recall, places: 4), "effort": .count(found.effort),
            "expected_comparisons": .count(searches.expectedComparisons(effort: found.effort)),
            "queries_per_second": .count(Int(load.queriesPerSecond)), "p50_us": .decimal(load.p50, places: 1),
            "p99_us": .decimal(load.p99, places: 1),
        ])
    }
}

/// The vectors in order of their distance from one of them, and in no order.
private struct Crowd {
    private let centre: Int
    private let byDistance: [UInt32]
    private let shuffled: [UInt32]

    init(_ data: Dataset) throws(KithError) {
        var random = SeededRandom(5)
        let centre = Int(random.next() % UInt64(data.base.count))
        let distances = (0..<data.base.count).map { data.base.distance(data.base.row(centre), $0) }
        byDistance = (0..<UInt32(data.base.count)).sorted { distances[Int($0)] < distances[Int($1)] }
        shuffled = (0..<UInt32(data.base.count)).shuffled(using: &random)
        self.centre = centre
    }

    func scattered(_ count: Int) -> SlotFilter { SlotFilter(shuffled.prefix(count).sorted()) }

    func nearest(_ count: Int) -> SlotFilter { SlotFilter(byDistance.prefix(count).sorted()) }

    /// One in `share` of the queries: those nearest to the centre.
    func nearbyQueries(_ data: Dataset, share: Int) throws(KithError) -> VectorSet {
        let distances = (0..<data.queries.count).map { data.queries.distance(data.base.row(centre), $0) }
        let order = distances.indices.sorted { distances[$0] < distances[$1] }
        return try VectorSet(Array(order.prefix(max(1, data.queries.count / share))), of: data.queries)
    }
}
