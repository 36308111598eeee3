import Foundation
package import KithAPI
import KithCore
import KithTelemetry

/// A run of a consumer, as it tells the server of it: START, and how it ended. The server tells it on, as OpenLineage.
///
/// Data goes on whatever becomes of that: where the server cannot be told, the log says so.
package final class LineageRun {
    /// Names end as those of `kith.v1.RunState`.
    package enum End: String, Sendable {
        /// It has done what it was asked for.
        case complete = "COMPLETE"
        /// It was stopped before.
        case abort = "ABORT"
        case fail = "FAIL"
    }

    private struct Request: Encodable {
        struct Output: Encodable { var dataset: DatasetName }
        var job: DatasetName
        var runId, state: String
        var inputCollections: [String]
        var outputs: [Output]
        var error, requestId: String
    }

    private struct Response: Decodable {}

    private static let log = Log("lineage")
    private let client: KithClient
    private let job: DatasetName
    private let id = UUID().uuidString.lowercased()
    private let reads: (String) -> Bool
    private let output: (String) -> DatasetName
    private var hasStarted = false

    /// - Parameters:
    ///   - job: the same for all its runs.
    ///   - reads: whether it reads a collection.
    ///   - output: what it makes of a collection.
    package init(
        _ client: KithClient, job: DatasetName, reads: @escaping (String) -> Bool, output: @escaping (String) -> DatasetName
    ) {
        self.client = client
        self.job = job
        self.reads = reads
        self.output = output
    }

    package func start() { hasStarted = tell("START") }

    /// - Parameter error: why it failed.
    package func end(_ end: End, error: String = "") {
        // Rather late than never: an end alone would be of no run.
        if !hasStarted { start() }
        if hasStarted { _ = tell(end.rawValue, error: error) }
    }

    /// Whether it could be told.
    private func tell(_ state: String, error: String = "") -> Bool {
        do throws(KithError) {
            // Collections may be made and dropped while it runs.
            let names = try client.collections().map(\.name).filter(reads)
            let parts = stride(from: 0, to: max(names.count, 1), by: Limits.lineageDatasets).map {
                Array(names[min($0, names.count)..<min($0 + Limits.lineageDatasets, names.count)])
            }
            for (number, part) in parts.enumerated() {
                // What one event has no room for is told by others, between the START and the end.
                let isOwn = number == (state == "START" ? 0 : parts.count - 1)
                try send(isOwn ? state : "RUNNING", part, error: isOwn ? error : "", request: "\(id)/\(state)/\(number)")
            }
            return true
        } catch {
            LineageRun.log.warning("a run cannot be told of", ["run": id, "state": state, "error": error.description])
            return false
        }
    }

    private func send(_ state: String, _ collections: [String], error: String, request: String) throws(KithError) {
        let request = Request(
            job: job, runId: id, state: "RUN_STATE_\(state)", inputCollections: collections,
            outputs: collections.map { Request.Output(dataset: output($0)) },
            error: error.shortened(to: Limits.descriptionBytes), requestId: request)
        let _: Response = try client.call("/kith.v1.GovernanceService/RecordRun", request)
    }
}
