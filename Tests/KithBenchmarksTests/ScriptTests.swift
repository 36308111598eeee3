import Foundation
import TestSupport
import Testing

/// The scripts behind `make bench-index` and `make bench-peers`, in their tiny mode.
@Suite struct ScriptTests {
    /// `make test` sets it to a Python that has what Benchmarks/requirements.txt lists.
    private static let python = ProcessInfo.processInfo.environment["KITH_BENCHMARK_PYTHON"]

    private func run(_ words: [String], into folder: TemporaryFolder) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let beside = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let process = try ChildProcess(
            ScriptTests.python ?? "",
            [root.appending(path: "Benchmarks/run.py").path] + words + [
                "--tiny", "--kith-bench", beside.appending(path: "kith-bench").path, "--data", folder("data"), "--out",
                folder("out"),
            ], environment: ["PYTHONDONTWRITEBYTECODE": "1"])
        try #require(process.wait() == 0, "\(process.output)")
        return process.output
    }

    private func results(_ name: String, _ folder: TemporaryFolder) throws -> [JSON] {
        let report = try JSONDecoder().decode(JSON.self, from: Data(contentsOf: URL(filePath: folder("out/\(name).json"))))
        let plot = try String(contentsOfFile: folder("out/\(name).svg"), encoding: .utf8)
        #expect(plot.hasPrefix("<svg") && plot.contains("<polyline"))
        return report["results"].list
    }

    @Test(.enabled(if: python != nil, "KITH_BENCHMARK_PYTHON names no Python"))
    func index() throws {
        let folder = try TemporaryFolder()
        let output = try run(["index"], into: folder)
        for table in ["kernels", "index build", "index search", "churn", "filtered search"] { #expect(output.contains(table)) }
        #expect(try results("index-synthetic-24-l2-2000", folder).count == 1)
    }

    @Test(.enabled(if: python != nil, "KITH_BENCHMARK_PYTHON names no Python"))
    func peers() throws {
        let folder = try TemporaryFolder()
        let output = try run(["peers"], into: folder)
        #expect(output.contains("of best peer @0.95"))
        let results = try results("peers-synthetic-24-l2-2000", folder)
        #expect(
            results.compactMap { $0["name"].string?.split(separator: " ").first } == [
                "kith", "hnswlib", "faiss", "usearch", "svs",
            ])
        for result in results {
            for point in result["points"].list {
                #expect((point["recall"].double ?? 0) >= (point["recall_target"].double ?? 1), "\(result)")
                #expect((point["queries_per_second"]["1"].double ?? 0) > 0)
            }
        }
    }
}
