import Foundation
import KithCore
import KithIndex

/// Indexes in this process, without server or store: how fast they are built, and how fast they find how much.
enum IndexBenchmark {
    static let description = Benchmark(
        name: "index", summary: "Building and searching an index in this process: queries a second at a recall",
        options: Dataset.options + [
            ("kind NAME", "index kind (hnsw and flat)"),
            ("param NAME=VALUE", "a parameter of the index; again for more"),
            ("recall LIST", "targets for recall@10 (0.90,0.95,0.99)"),
            ("threads LIST", "searching threads (1 and all cores)"),
            Run.secondsOption,
        ], run: run)

    private static func run(_ run: Run) throws(KithError) {
        let kinds = run.options.value("kind").map { [$0] } ?? ["flat", "hnsw"]
        var parameters: [String: String] = [:]
        for text in run.options.all("param") {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw .usage("--param is '\(text)', not NAME=VALUE") }
            parameters[parts[0]] = parts[1]
        }
        let data = try Dataset(
            run, count: run.pick(tiny: 2_000, moderate: 50_000, full: 100_000),
            dimension: run.pick(tiny: 32, moderate: 128, full: 128),
            queries: run.pick(tiny: 50, moderate: 1_000, full: 1_000), index: IndexDefinition(kind: "hnsw"))
        for kind in kinds {
            var space = data.space
            space.index = IndexDefinition(kind: kind, parameters: kind == "flat" ? [:] : parameters)
            try measure(run, data, space)
        }
    }

    private static func measure(_ run: Run, _ data: Dataset, _ space: VectorSpace) throws(KithError) {
        var context = data.base.context
        context.space = space
        let maker = try IndexRegistry.builtIn.maker(space.index.kind)
        try maker.check(space)
        let residentBefore = ProcessUsage.residentBytes()
        let index = try maker.make(context)
        let began = ContinuousClock.now
        while index.hasWork(upTo: data.base.snapshot.slotCount) {
            _ = try index.link(upTo: data.base.snapshot.slotCount, limit: 4_096)
        }
        let built = (ContinuousClock.now - began).seconds
        let resident = ProcessUsage.residentBytes() - residentBefore
        var build = ResultTable("index build", "index build, \(data.name), \(space.index.kind)")
        build.add([
            "kind": .text(space.index.kind), "element": .text("\(space.element)"), "metric": .text("\(space.metric)"),
            "dimension": .count(space.dimension), "vectors": .count(data.base.count),
            "build_seconds": .decimal(built, places: 2),
            "vectors_per_second": index.linkedCount == 0 ? .none : .count(Int(Double(data.base.count) / built)),
            "vector_bytes": .count(data.base.count * space.stride), "index_resident_bytes": .count(max(resident, 0)),
        ])
        run.report.add(build)
        try search(run, data, index, space)
    }

    private static func search(
        _ run: Run, _ data: Dataset, _ index: any VectorIndex, _ space: VectorSpace
    ) throws(KithError) {
        let searches = IndexSearches(data: data, index: index)
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let threads = try run.options.list("threads", cores > 1 ? [1, cores] : [1])
        var table = ResultTable("index search", "index search, \(data.name), \(space.index.kind), top \(Dataset.topK)")
        // An exact index has nothing to tune.
        let targets =
            index.linkedCount == 0
            ? [1]
            : try run.options.list(
                "recall",
                run.pick(
                    tiny: [0.9], moderate: [0.9, 0.95, 0.99], full: [0.9, 0.95, 0.99]))
        for target in targets {
            let found =
                index.linkedCount == 0
                ? EffortSearch.Found(effort: 0, recall: try searches.recall(effort: 0))
                : try EffortSearch.smallest(reaching: target) { (effort) throws(KithError) in try searches.recall(effort: effort)
                }
            for count in threads {
                let load = try searches.load(effort: found.effort, threads: count, seconds: try run.seconds() / 2)
                table.add([
                    "kind": .text(space.index.kind), "recall_target": .decimal(target, places: 3),
                    "recall": .decimal(found.recall, places: 4), "effort": .count(found.effort), "threads": .count(count),
                    "queries_per_second": .count(Int(load.queriesPerSecond)), "p50_us": .decimal(load.p50, places: 1),
                    "p99_us": .decimal(load.p99, places: 1),
                ])
            }
        }
        run.report.add(table)
    }
}
