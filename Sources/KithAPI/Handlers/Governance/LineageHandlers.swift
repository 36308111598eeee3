import CGRPCShim
import KithCollections
import KithCore

/// Lineage of GovernanceService.
struct LineageHandlers {
    private static let states: [(name: String, value: JobRun.State?)] = [
        ("RUN_STATE_UNSPECIFIED", nil), ("RUN_STATE_START", .start), ("RUN_STATE_RUNNING", .running),
        ("RUN_STATE_COMPLETE", .complete), ("RUN_STATE_ABORT", .abort), ("RUN_STATE_FAIL", .fail),
    ]

    private let catalogue: Catalogue
    private let governance: Governance

    init(_ node: Node) {
        catalogue = node.catalogue
        governance = node.governance
    }

    private struct NameMessage: Codable {
        var namespace, name: String
        var value: JobRun.Name { JobRun.Name(namespace: namespace, name: name) }
    }

    private struct OutputMessage: Codable {
        var collection: String
        var rowCount: String?
        var dataset: NameMessage?
    }

    private struct Request: Codable {
        var job: NameMessage?
        var runId: String
        var state: EnumText
        var inputs: [NameMessage]?
        var inputCollections: [String]?
        var outputs: [OutputMessage]?
        var error, requestId: String
    }

    private struct Response: Codable {}

    func record(_ bytes: KithBytes, _ context: OwnedBytes?) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(Request.self, "kith.v1.RecordRunRequest", bytes)
        guard let job = request.job else { throw .invalid(.requiredFieldMissing, field: "job", "must be given") }
        guard let state = try request.state.value(LineageHandlers.states, field: "state") else {
            throw .invalid(.requiredFieldMissing, field: "state", "must be given")
        }
        var outputs: [JobRun.Output] = []
        for (number, output) in (request.outputs ?? []).enumerated() {
            let dataset = try dataset(output, field: "outputs[\(number)]")
            outputs.append(JobRun.Output(dataset, rowCount: output.rowCount.flatMap(UInt64.init)))
        }
        // Those that are not here come first: errors name them by the place they were given at.
        var inputs = (request.inputs ?? []).map { JobRun.Dataset.other($0.value) }
        for (number, name) in (request.inputCollections ?? []).enumerated() {
            inputs.append(.collection(try collection(name, field: "input_collections[\(number)]")))
        }
        let run = JobRun(
            job.value, id: request.runId, state: state, inputs: inputs, outputs: outputs,
            error: request.error)
        _ = try governance.record(run, GovernanceRequest(id: request.requestId, context: context))
        return try JSONCall.encode(Response(), "kith.v1.RecordRunResponse")
    }

    private func dataset(_ output: OutputMessage, field: String) throws(KithError) -> JobRun.Dataset {
        guard let other = output.dataset else {
            return .collection(try collection(output.collection, field: "\(field).collection"))
        }
        guard output.collection.isEmpty else {
            throw .invalid(.invalidValue, field: "\(field).collection", "cannot be given beside dataset")
        }
        return .other(other.value)
    }

    /// The name of a collection, which may be given by an alias.
    private func collection(_ name: String, field: String) throws(KithError) -> String {
        try catalogue.collection(name, field: field).definition.name
    }
}
