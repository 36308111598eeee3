import KithAPI
import KithCollections
import KithCore

/// `kith advise`.
enum AdviseCommand {
    static let description = CommandDescription(
        name: "advise", summary: "Tell which index fits a memory budget and a recall",
        options: Connection.options + [
            Option(name: "memory", value: "BYTES", help: "memory budget of the collection"),
            Option(name: "recall", value: "R", help: "wanted recall of 10 neighbours, 0.5 to 0.999 (0.95)"),
            Option(name: "collection", value: "NAME", help: "advise for this collection, measured on a sample of its points"),
            Option(name: "vectors", value: "N", help: "without a collection: how many there will be"),
            Option(name: "dimension", value: "N", help: "without a collection or a sample: components of a vector"),
            Option(name: "metric", value: "METRIC", help: "cosine, dot or l2 (cosine)"),
            Option(name: "element", value: "TYPE", help: "f32, f16, bf16, int8 or uint8 (f32)"),
            Option(name: "sample", value: "FILE", help: "vectors like those to come: .npy, .fvecs or .bvecs"),
            Option(name: "sample-size", value: "N", help: "vectors of the sample that are measured (50000)"),
        ],
        notes: [
            "Memory is that of codes, links, ids and versions; the process takes some 100 MB more.",
            "Exits with 1 where nothing fits, or nothing that was measured reaches the recall.",
            "  kith advise --vectors 1000000 --dimension 384 --memory 400000000 --recall 0.9",
        ], run: run)

    private static func run(_ arguments: Arguments) throws(KithError) -> Int32 {
        guard let memory = try arguments.number("memory", 1...Limits.memoryBudgetBytes) else {
            throw .usage("--memory is missing", key: "memory")
        }
        let text = arguments.value("recall") ?? "0.95"
        guard let recall = Double(text), (0.5...0.999).contains(recall) else {
            throw .usage("--recall is '\(text)', not a number from 0.5 to 0.999", key: "recall")
        }
        let subject = try AdviseSubject(arguments)
        let trial = try subject.sample.map { (sample) throws(KithError) in try IndexTrial(sample) }
        var lines: [AdviceLine] = []
        for option in IndexOption.candidates(subject.space, vectors: subject.vectors) {
            let fit = option.fit(memory: memory)
            let measured = fit == .nothing ? nil : try trial?.measure(option.definition, recall: recall)
            lines.append(AdviceLine(option: option, fit: fit, measured: measured))
        }
        Console.print(
            "\(grouped(subject.vectors)) x \(subject.space.dimension) \(subject.space.element), \(subject.space.metric), in "
                + "\(grouped(memory)) bytes")
        Console.print("")
        AdviceLine.table(lines).printAll()
        Console.print("")
        return advise(lines, recall: recall, sample: subject.sample)
    }

    private static func advise(_ lines: [AdviceLine], recall: Double, sample: VectorSample?) -> Int32 {
        let fitting = lines.filter { $0.fit != .nothing }
        guard !fitting.isEmpty else {
            Console.print("Nothing fits: more memory, more shards on other machines, or a smaller dimension is needed.")
            return ExitCode.failure
        }
        guard let sample else {
            Console.print("Fits: \(fitting[0].name). Recall was not measured; --sample or --collection does.")
            return ExitCode.success
        }
        let good = fitting.filter { ($0.measured?.recall ?? 0) >= recall }
        guard let best = good.max(by: { $0.worth < $1.worth }), let measured = best.measured else {
            Console.print("None that fits reaches a recall of \(recall) on the sample.")
            return ExitCode.failure
        }
        Console.print(
            "Advice: \(best.name), effort \(measured.effort), measured on \(grouped(sample.vectors)) vectors; more need more effort, "
                + "which a search with recall_target gets.")
        return ExitCode.success
    }
}
