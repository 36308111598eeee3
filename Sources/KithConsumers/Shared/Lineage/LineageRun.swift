import Foundation
package import KithAPI
import KithCore
import KithTelemetry

/// A run of a consumer, as it tells the server of it: START, and how it ended. The server tells it on, as OpenLineage.
///
/// Data goes on whatever becomes of that: where the server cannot be told, the log says so.
package final class LineageRun {
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
    private let notes: any RunNotes
    private let reads: (String) -> Bool
    private let output: (String) -> DatasetName
    private var run: NotedRun
    private var hasStarted = false

    /// - Parameters:
    ///   - job: the same for all its runs.
    ///   - notes: where the next run finds this one, should it be killed.
    ///   - reads: whether it reads a collection.
    ///   - output: what it makes of a collection.
    package init(
        _ client: KithClient, job: DatasetName, notes: any RunNotes, reads: @escaping (String) -> Bool,
        output: @escaping (String) -> DatasetName
    ) {
        self.client = client
        self.notes = notes
        self.reads = reads
        self.output = output
        run = NotedRun(id: UUID().uuidString.lowercased(), job: job)
    }

    /// Tells how runs ended that could not tell it themselves, and that this one begins.
    package func start() {
        attempt("earlier runs cannot be told of") { () throws(KithError) in
            for earlier in try notes.leftBehind() {
                // What it came to read after its START, it alone knew.
                try send(earlier, earlier.end.rawValue, [])
                try notes.forget(earlier)
            }
        }
        note()
        tellStart()
    }

    /// - Parameter error: why it failed.
    package func end(_ end: RunEnd, error: String = "") {
        run.end = end
        run.error = error.shortened(to: Limits.descriptionBytes)
        note()
        // Rather late than never: an end alone would be of no run.
        if !hasStarted { tellStart() }
        attempt("a run cannot be told of") { () throws(KithError) in
            if hasStarted { try tell(end.rawValue) }
            try notes.forget(run)
        }
    }

    private func note() { attempt("a run cannot be noted") { () throws(KithError) in try notes.note(run) } }

    private func tellStart() {
        attempt("a run cannot be told of") { () throws(KithError) in
            try tell("START")
            hasStarted = true
        }
    }

    private func attempt(_ trouble: String, _ action: () throws(KithError) -> Void) {
        do throws(KithError) { try action() } catch {
            LineageRun.log.warning(trouble, ["run": run.id, "error": error.description])
        }
    }

    /// Tells how it stands, with all that it reads and makes now: collections may be made and dropped while it runs.
    private func tell(_ state: String) throws(KithError) {
        let names = try client.collections().map(\.name).filter(reads)
        let parts = stride(from: 0, to: max(names.count, 1), by: Limits.lineageDatasets).map {
            Array(names[min($0, names.count)..<min($0 + Limits.lineageDatasets, names.count)])
        }
        for (number, part) in parts.enumerated() {
            // What one event has no room for is told by others, between the START and the end.
            let isOwn = number == (state == "START" ? 0 : parts.count - 1)
            try send(run, isOwn ? state : "RUNNING", part, request: "\(state)/\(number)")
        }
    }

    /// - Parameter request: tells this request from others of the run; the same for one that is sent again.
    private func send(
        _ run: NotedRun, _ state: String, _ collections: [String], request: String = "left behind"
    ) throws(KithError) {
        let request = Request(
            job: run.job, runId: run.id, state: "RUN_STATE_\(state)", inputCollections: collections,
            outputs: collections.map { Request.Output(dataset: output($0)) }, error: state == "FAIL" ? run.error : "",
            requestId: "\(run.id)/\(request)")
        let _: Response = try client.call("/kith.v1.GovernanceService/RecordRun", request)
    }
}
