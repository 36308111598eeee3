import Foundation
import TestSupport

/// A run of the built `kith-bench`.
struct BenchmarkProcess {
    private let child: ChildProcess

    init(_ words: [String], environment: [String: String] = [:]) throws {
        let beside = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        child = try ChildProcess(beside.appending(path: "kith-bench").path, words, environment: environment)
    }

    func signal(_ number: Int32) { child.signal(number) }

    func wait() -> Int32 { child.wait() }
    var output: String { child.output }

    /// What a run writes as JSON, against the server that the tests use.
    static func report(_ words: [String]) throws -> JSON {
        let folder = try TemporaryFolder()
        let server = ["kernels", "index", "churn", "filter"].contains(words.first) ? [] : ["--kith", TestEnvironment.binary]
        let process = try BenchmarkProcess(words + server + ["--json", folder("report.json")])
        let status = process.wait()
        guard status == 0 else { throw Failure(description: "\(words) ended with \(status): \(process.output)") }
        return try JSONDecoder().decode(JSON.self, from: Data(contentsOf: URL(filePath: folder("report.json"))))
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }
}
