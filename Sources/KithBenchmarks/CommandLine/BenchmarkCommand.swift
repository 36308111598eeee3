import Glibc
import KithCore

/// One benchmark: its words on the command line, and what it does.
struct Benchmark: Sendable {
    var name: String
    var summary: String
    /// Options of its own, without the dashes, and their help.
    var options: [(name: String, help: String)]
    var run: @Sendable (Run) throws(KithError) -> Void
}

/// `kith-bench`.
enum BenchmarkCommand {
    static let benchmarks: [Benchmark] = [
        KernelBenchmark.description,
        CodeBenchmark.description,
        IndexBenchmark.description,
        ChurnBenchmark.description,
        FilterBenchmark.description,
        RecallTargetBenchmark.description,
        WakeupBenchmark.description,
        FloorBenchmark.description,
        WireBenchmark.description,
        UpsertBenchmark.description,
        MixedBenchmark.description,
        RestartBenchmark.description,
        EventsBenchmark.description,
    ]

    /// Runs the command and answers the exit code: 0 done, 1 failed, 2 wrong usage.
    static func main(_ words: [String]) -> Int32 {
        // A server that ends early must not end its client.
        signal(SIGPIPE, SIG_IGN)
        Leftovers.removeWhenStopped()
        do throws(KithError) {
            try run(Array(words.dropFirst()))
            return 0
        } catch {
            Console.note("kith-bench: \(error.description)")
            return error.reason == .invalidConfiguration ? 2 : 1
        }
    }

    private static func run(_ words: [String]) throws(KithError) {
        guard let name = words.first, name != "help", !words.contains("--help") else { return Console.print(help) }
        let chosen = name == "all" ? benchmarks : benchmarks.filter { $0.name == name }
        guard !chosen.isEmpty else { throw .usage("there is no benchmark '\(name)'; 'kith-bench help' lists them") }
        let known = name == "all" ? [] : chosen.flatMap { $0.options.map(\.name) }
        let options = try Options(Array(words.dropFirst()), known: known)
        // Checked before anything runs: minutes later is too late.
        if let path = options.value("json") { try Files.checkWritable(path) }
        let report = Report(command: words)
        let size: Run.Size = options.has("tiny") ? .tiny : name == "all" && !options.has("full") ? .moderate : .full
        for benchmark in chosen where !(benchmark.name == RestartBenchmark.description.name && size == .moderate) {
            try benchmark.run(Run(options: options, size: size, report: report))
        }
        if let path = options.value("json") { try report.write(to: path) }
    }

    private static var help: String {
        var lines = ["Measures Kith on this machine.", "", "Usage: kith-bench BENCHMARK [OPTIONS]", ""]
        for benchmark in benchmarks {
            lines.append("  \(pad(benchmark.name, 14))\(benchmark.summary)")
            lines += benchmark.options.map { "    \(pad("--" + $0.name, 22))\($0.help)" }
        }
        lines.append("  \(pad("all", 14))All of them at moderate size; restart only with --full or --tiny")
        lines += ["", "Options of all:"] + Options.common.map { "    \(pad("--" + $0.name, 22))\($0.help)" }
        return lines.joined(separator: "\n")
    }
}
