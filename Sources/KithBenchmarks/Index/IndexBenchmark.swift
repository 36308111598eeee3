import Foundation
import KithCore
import KithIndex

/// Indexes in this process, without server or store: how fast they are built, and how fast they find how much.
enum IndexBenchmark {
    static let description = Benchmark(
        name: "index", summary: "Building and searching an index in this process: queries a second at a recall",
        options: Dataset.options + IndexChoice.options + [
            ("recall LIST", "targets for recall@10 (0.90,0.95,0.99)"),
            ("threads LIST", "searching threads (1 and all cores)"),
            ("batch N", "queries of one call; latencies are then those of calls (1)"),
            Run.secondsOption,
        ], run: run)

    private static func run(_ run: Run) throws(KithError) {
        let definitions = try IndexChoice.definitions(run.options, standard: ["flat", IndexDefinition.defaultKind])
        let data = try Dataset(
            run, count: run.pick(tiny: 2_000, moderate: 50_000, full: 100_000),
            dimension: run.pick(tiny: 32, moderate: 128, full: 128),
            queries: run.pick(tiny: 50, moderate: 1_000, full: 1_000), index: definitions[0])
        for definition in definitions { try measure(run, data, definition) }
    }

    private static func measure(_ run: Run, _ data: Dataset, _ definition: IndexDefinition) throws(KithError) {
        let built = try BuiltIndex(definition, over: data.base)
        let disk = try built.diskBytes()
        let vectorBytes = data.base.count * data.space.stride
        var table = ResultTable("index build", "index build, \(data.name), \(definition.kind)")
        table.add([
            "kind": .text(definition.kind), "element": .text("\(data.space.element)"),
            "metric": .text("\(data.space.metric)"), "dimension": .count(data.space.dimension),
            "vectors": .count(data.base.count), "build_seconds": .decimal(built.seconds, places: 2),
            "vectors_per_second": built.isExact ? .none : .count(Int(Double(data.base.count) / built.seconds)),
            "vector_bytes": .count(vectorBytes), "index_resident_bytes": .count(built.residentBytes),
            "resident_bytes": .count(vectorBytes + built.residentBytes), "index_disk_bytes": .count(disk),
            "disk_bytes": .count(vectorBytes + disk),
        ])
        run.report.add(table)
        try search(run, data, built)
    }

    private static func search(_ run: Run, _ data: Dataset, _ built: BuiltIndex) throws(KithError) {
        let searches = IndexSearches(built.index, data.base, data.queries, data.truth)
        let kind = built.definition.kind
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let threads = try run.options.list("threads", cores > 1 ? [1, cores] : [1])
        let batch = try run.number("batch", tiny: 1, moderate: 1, full: 1)
        var table = ResultTable("index search", "index search, \(data.name), \(kind), top \(Dataset.topK)")
        let targets = built.isExact ? [1] : try run.options.list("recall", run.recallTargets)
        for target in targets {
            let found = try searches.effort(reaching: target, isExact: built.isExact)
            for count in threads {
                let load = try searches.load(effort: found.effort, threads: count, seconds: try run.seconds(), batch: batch)
                table.add([
                    "kind": .text(kind), "recall_target": .decimal(target, places: 3),
                    "recall": .decimal(found.recall, places: 4), "effort": .count(found.effort), "threads": .count(count),
                    "batch": .count(batch),
                    "queries_per_second": .count(Int(load.queriesPerSecond)), "p50_us": .decimal(load.p50, places: 1),
                    "p99_us": .decimal(load.p99, places: 1),
                ])
            }
        }
        run.report.add(table)
    }
}

extension Run {
    /// Where none are asked for.
    var recallTargets: [Double] { pick(tiny: [0.9], moderate: [0.9, 0.95, 0.99], full: [0.9, 0.95, 0.99]) }
}

extension IndexSearches {
    /// The least effort that reaches a recall; 0 where there is nothing to choose.
    func effort(reaching target: Double, isExact: Bool) throws(KithError) -> EffortSearch.Found {
        if isExact { return EffortSearch.Found(effort: 0, recall: try recall(effort: 0)) }
        return try EffortSearch.smallest(reaching: target) { (effort) throws(KithError) in try recall(effort: effort) }
    }
}
