import Foundation
import KithCore
import KithIndex

/// What updates do to an index: all points replaced, a tenth a round, beside an index made afresh of what lives then.
enum ChurnBenchmark {
    static let description = Benchmark(
        name: "churn", summary: "Replacing all points over ten rounds: recall and speed against a fresh build",
        options: Dataset.options + IndexChoice.options + [
            ("rounds N", "rounds in which all points are replaced once (10)"),
            ("recall N", "the recall whose effort is kept throughout (0.95)"),
            Run.secondsOption,
        ], run: run)

    private static func run(_ run: Run) throws(KithError) {
        let definitions = try IndexChoice.definitions(run.options, standard: [IndexDefinition.defaultKind])
        let rounds = try run.number("rounds", tiny: 2, moderate: 10, full: 10)
        // The first half is there at the start, the second replaces it.
        let data = try Dataset(
            run, count: run.pick(tiny: 4_000, moderate: 60_000, full: 200_000),
            dimension: run.pick(tiny: 16, moderate: 128, full: 128),
            queries: run.pick(tiny: 50, moderate: 500, full: 1_000), index: definitions[0])
        guard data.base.count / 2 >= rounds else { throw .usage("\(data.base.count) vectors are too few for \(rounds) rounds") }
        for definition in definitions { try measure(run, data, definition, rounds: rounds) }
    }

    private static func measure(
        _ run: Run, _ data: Dataset, _ definition: IndexDefinition, rounds: Int
    ) throws(KithError) {
        // The slots of another kind may have died in its own run.
        let base = try VectorSet(Array(0..<data.base.count), of: data.base)
        let half = base.count / 2
        var context = base.context
        context.space.index = definition
        let maker = try IndexRegistry.builtIn.maker(definition.kind)
        try maker.check(context.space)
        let index = try maker.make(context)
        try BuiltIndex.link(index, upTo: UInt32(half))

        var random = SeededRandom(11)
        let order = (0..<half).shuffled(using: &random)
        let target = try run.options.decimal("recall") ?? 0.95
        var table = ResultTable(
            "churn", "churn, \(data.name), \(half) x \(base.space.dimension) \(base.space.element), \(definition.kind)")
        var effort = 0
        for round in 0...rounds {
            let replaced = half * round / rounds
            let before = round == 0 ? 0 : half * (round - 1) / rounds
            let began = ContinuousClock.now
            for slot in order[before..<replaced] { context.deaths.kill(UInt32(slot), at: LogPosition(round + 1)) }
            try BuiltIndex.link(index, upTo: UInt32(half + replaced))
            let linking = (ContinuousClock.now - began).seconds
            let snapshot = Snapshot(slotCount: UInt32(half + replaced), position: LogPosition(rounds + 2))
            let truth = try Truth(exact: base, data.queries, in: snapshot)
            let searches = IndexSearches(index, base, data.queries, truth, in: snapshot)
            if round == 0 { effort = try searches.effort(reaching: target, isExact: index.linkableSlots == 0).effort }
            try add(
                to: &table, run, searches, effort: effort, state: round == 0 ? "new" : "\(100 * replaced / half) % replaced",
                linked: round == 0 ? nil : Double(replaced - before) / linking)
        }

        // Each has a place in memory that is as good as that of the other.
        let living = try VectorSet(Array(half..<2 * half), of: base)
        let fresh = try BuiltIndex(definition, over: living)
        let truth = try Truth(exact: living, data.queries, in: living.snapshot)
        try add(
            to: &table, run, IndexSearches(fresh.index, living, data.queries, truth), effort: effort, state: "fresh build",
            linked: Double(half) / fresh.seconds)
        run.report.add(table)
    }

    private static func add(
        to table: inout ResultTable, _ run: Run, _ searches: IndexSearches, effort: Int, state: String, linked: Double?
    ) throws(KithError) {
        let load = try searches.load(effort: effort, threads: 1, seconds: try run.seconds() / 2)
        table.add([
            "state": .text(state), "effort": .count(effort),
            "recall": .decimal(try searches.recall(effort: effort), places: 4),
            "queries_per_second": .count(Int(load.queriesPerSecond)), "p50_us": .decimal(load.p50, places: 1),
            "p99_us": .decimal(load.p99, places: 1), "linked_per_second": linked.map { .count(Int($0)) } ?? .none,
        ])
    }
}
