import Foundation
import TestSupport
import Testing

/// Every benchmark in its tiny mode: figures mean nothing then, but they must be there.
@Suite struct BenchmarkTests {
    struct Expected: Sendable, CustomTestStringConvertible {
        var benchmark: String
        /// Tables by name, and a figure of each row that must be above zero.
        var tables: [(name: String, figures: [String])]
        var testDescription: String { benchmark }
    }

    static let all: [Expected] = [
        Expected(benchmark: "kernels", tables: [("kernels", ["single_ns", "gather_ns", "scan_ns"])]),
        Expected(
            benchmark: "codes", tables: [("codes", ["bytes", "recall"]), ("code kernels", ["prepare_us", "scan_ns"])]),
        Expected(
            benchmark: "index",
            tables: [
                ("index build", ["vectors", "resident_bytes", "disk_bytes"]),
                ("index search", ["recall", "queries_per_second", "p50_us", "p99_us"]),
            ]),
        Expected(benchmark: "recall-target", tables: [("recall target", ["recall", "queries_per_second"])]),
        Expected(benchmark: "wakeups", tables: [("wakeups", ["late_p50_us", "late_p99_us"])]),
        Expected(benchmark: "grpc-floor", tables: [("grpc-floor", ["searches_per_second", "p99_us", "client_us_per_call"])]),
        Expected(benchmark: "churn", tables: [("churn", ["recall", "queries_per_second", "p99_us"])]),
        Expected(benchmark: "filter", tables: [("filter", ["recall", "queries_per_second", "expected_comparisons"])]),
        Expected(
            benchmark: "grpc",
            tables: [
                ("grpc", ["recall", "queries_a_call", "queries_per_second", "p50_us", "p99_us", "client_cores", "server_cores"])
            ]),
        Expected(benchmark: "grpc-upsert", tables: [("grpc-upsert", ["points_per_second", "resident_bytes", "disk_bytes"])]),
        Expected(benchmark: "grpc-mixed", tables: [("grpc-mixed", ["searches_per_second", "p99_us"])]),
        Expected(
            benchmark: "events",
            tables: [
                ("events backlog", ["events_per_second", "bytes_per_event"]), ("events latency", ["p50_ms", "p99_ms"]),
                ("events cost", ["points_per_second", "without_kafka"]),
                ("events consumers", ["events_per_second", "us_per_event"]),
            ]),
        Expected(benchmark: "restart", tables: [("restart", ["first_answer_seconds", "resident_bytes"])]),
    ]

    @Test(arguments: all)
    func runs(_ expected: Expected) throws {
        let report = try BenchmarkProcess.report([expected.benchmark, "--tiny"])
        #expect((report["machine"]["cores"].double ?? 0) >= 1)
        for key in ["date", "processor", "simd", "system"] { #expect(report["machine"][key].string?.isEmpty == false) }
        for (name, figures) in expected.tables {
            let tables = report["results"].list.filter { $0["name"].string == name }
            #expect(!tables.isEmpty, "\(name)")
            for row in tables.flatMap({ $0["rows"].list }) {
                for figure in figures { #expect((row[figure].double ?? 0) > 0, "\(name): \(figure) in \(row)") }
            }
            #expect(tables.allSatisfy { !$0["rows"].list.isEmpty })
        }
    }

    @Test func recallReachesItsTarget() throws {
        let report = try BenchmarkProcess.report(["index", "--tiny", "--recall", "0.5,0.95", "--threads", "1"])
        let rows = report["results"].list.filter { $0["name"].string == "index search" }.flatMap { $0["rows"].list }
        #expect(rows.count == 3)
        for row in rows { #expect((row["recall"].double ?? 0) >= (row["recall_target"].double ?? 1)) }
    }

    /// The rows of all tables of a name.
    private func rows(_ name: String, _ words: [String]) throws -> [JSON] {
        try BenchmarkProcess.report(words)["results"].list.filter { $0["name"].string == name }.flatMap { $0["rows"].list }
    }

    @Test func aServerThatRunsAlreadyIsMeasuredAndLeftAsItIs() throws {
        let server = try TestSupport.ServerProcess(["--log-level", "warning"])
        let words = ["grpc", "--tiny", "--address", server.address]
        // Made by the first, used by the second.
        for _ in 0..<2 {
            let rows = try rows("grpc", words)
            #expect(!rows.isEmpty)
            for row in rows {
                #expect((row["queries_per_second"].double ?? 0) > 0 && (row["recall"].double ?? 0) > 0, "\(row)")
                // Nobody knows what else that server does.
                #expect(row["server_cores"].double == nil && row["resident_bytes"].double == nil, "\(row)")
            }
            #expect(try server.connection.call(.count, ["collection": "benchmark"])["count"].integer == 1_000)
        }
        let other = try BenchmarkProcess(words + ["--count", "500"])
        #expect(other.wait() == 2 && other.output.contains("has 1000 points, not 500"), "\(other.output)")
        #expect(server.terminate() == 0)
    }

    @Test func aRateIsOffered() throws {
        let rows = try rows("grpc", ["grpc", "--tiny", "--rate", "150", "--recall", "0.5,0.9", "--seconds", "0.4"])
        #expect(rows.map { $0["recall_target"].double } == [0.5, 0.9])
        for row in rows {
            #expect(row["offered_per_second"].double == 150 && row["clients"].double == nil, "\(row)")
            #expect((row["queries_per_second"].double ?? 0) > 0 && (row["p99_us"].double ?? 0) > 0, "\(row)")
        }
    }

    @Test func parametersReachTheIndex() throws {
        func disk(_ degree: Int) throws -> Double {
            let words = ["--kind", "graph", "--param", "degree=\(degree)", "--param", "construction_window=64"]
            let rows = try rows("index build", ["index", "--tiny"] + words)
            #expect(rows.map { $0["kind"].string } == ["graph"])
            return try #require(rows.first?["index_disk_bytes"].double)
        }
        #expect(try disk(64) > disk(8))
        let wrong = try BenchmarkProcess(["index", "--tiny", "--kind", "graph", "--param", "degree=7"])
        #expect(wrong.wait() != 0 && wrong.output.contains("degree"), "\(wrong.output)")
    }

    @Test func wrongWordsAreRefused() throws {
        let wrong = [
            ["nothing"], ["index", "--wrong", "1"], ["index", "--count", "none"], ["index", "--element", "f64"],
            ["index", "--metric", "hamming", "--tiny"],
            ["filter", "--tiny", "--selectivity", "0,2"],
            ["recall-target", "--tiny", "--recall", "0.4"], ["grpc", "--tiny", "--serve", "--address", "127.0.0.1:1"],
            ["index", "--base", "a.npy"], ["kernels", "--json"],
            ["grpc-floor", "--kith", "/dev/null"], ["grpc-floor", "--rate", "0", "--tiny"], ["index", "--param", "m", "--tiny"],
        ]
        for words in wrong {
            let process = try BenchmarkProcess(words)
            #expect(process.wait() == 2, "\(words): \(process.output)")
        }
    }
}
