import Foundation
import KithCore
import KithIndex

/// Whether a search that asks for a recall gets it: the target beside what was achieved, on queries the index has never seen.
enum RecallTargetBenchmark {
    static let description = Benchmark(
        name: "recall-target", summary: "Searches that name a recall: what they achieve on queries the index has never seen",
        options: Dataset.options + IndexChoice.options + [
            ("recall LIST", "targets (0.5,0.7,0.8,0.9,0.95,0.97,0.99)"), ("top LIST", "answer sizes (1,10,100)"),
        ], run: run)

    private static func run(_ run: Run) throws(KithError) {
        let definitions = try IndexChoice.definitions(
            run.options, standard: [IndexDefinition.defaultKind, "ivf_flat", "ivf_pq", "ivf_rabitq"])
        let data = try Dataset(
            run, count: run.pick(tiny: 12_000, moderate: 50_000, full: 100_000),
            dimension: run.pick(tiny: 16, moderate: 128, full: 128),
            queries: run.pick(tiny: 100, moderate: 1_000, full: 4_000), index: definitions[0])
        let targets = try run.options.list("recall", run.pick(tiny: [0.9], moderate: standardTargets, full: standardTargets))
        let sizes = try run.options.list("top", run.pick(tiny: [10], moderate: [1, 10, 100], full: [1, 10, 100]))
        guard targets.allSatisfy({ (0.5...1).contains($0) }) else { throw .usage("--recall holds targets from 0.5 to 1") }
        guard sizes.allSatisfy({ (1...Limits.topK).contains($0) }) else {
            throw .usage("--top holds sizes from 1 to \(Limits.topK)")
        }
        let nearest = try exactNeighbours(data, count: sizes.max() ?? 0)
        for definition in definitions {
            let built = try BuiltIndex(definition, over: data.base)
            var table = ResultTable(
                "recall target", "recall targets, \(data.name), \(data.base.count) x \(data.space.dimension), \(definition.kind)")
            for size in sizes {
                for target in targets {
                    try measure(data, built, nearest, size: size, target: target, into: &table)
                }
            }
            run.report.add(table)
        }
    }

    private static let standardTargets = [0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.99]

    /// By query, the distances of its nearest, nearest first.
    private static func exactNeighbours(_ data: Dataset, count: Int) throws(KithError) -> [[Float]] {
        let flat = try FlatIndex(data.base.context)
        return try InParallel.map(data.queries.count) { (number) throws(KithError) in
            let query = IndexQuery(vector: data.queries.row(number), topK: count, exact: true)
            return try flat.search(query, in: data.base.snapshot).map(\.distance)
        }
    }

    private static func measure(
        _ data: Dataset, _ built: BuiltIndex, _ nearest: [[Float]], size: Int, target: Double, into table: inout ResultTable
    ) throws(KithError) {
        let began = ContinuousClock.now
        let shares = try InParallel.map(data.queries.count) { (number) throws(KithError) in
            let query = IndexQuery(vector: data.queries.row(number), topK: size, recallTarget: Float(target))
            let answer = try built.index.search(query, in: data.base.snapshot)
            let truth = nearest[number].prefix(size)
            let radius = truth.last ?? -.infinity
            return Double(answer.count { $0.distance <= radius }) / Double(max(truth.count, 1))
        }
        let seconds = (ContinuousClock.now - began).seconds
        let count = Double(shares.count)
        let recall = shares.reduce(0, +) / count
        let variance = shares.reduce(0) { $0 + ($1 - recall) * ($1 - recall) } / max(count - 1, 1)
        table.add([
            "kind": .text(built.definition.kind), "top": .count(size), "recall_target": .decimal(target, places: 3),
            "recall": .decimal(recall, places: 4), "points_off": .decimal((recall - target) * 100, places: 2),
            "standard_error_points": .decimal((variance / count).squareRoot() * 100, places: 2),
            "queries_per_second": .count(Int(count / seconds)),
        ])
    }
}
