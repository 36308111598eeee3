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
    }

    private struct Request: Codable {
        var job: NameMessage?
        var runId: String
        var state: EnumText
        var inputs: [NameMessage]?
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
            let collection = try catalogue.collection(output.collection, field: "outputs[\(number)].collection")
            outputs.append(
                JobRun.Output(collection: collection.definition.name, rowCount: output.rowCount.flatMap(UInt64.init)))
        }
        let run = JobRun(
            job.value, id: request.runId, state: state, inputs: (request.inputs ?? []).map(\.value), outputs: outputs,
            error: request.error)
        _ = try governance.record(run, GovernanceRequest(id: request.requestId, context: context))
        return try JSONCall.encode(Response(), "kith.v1.RecordRunResponse")
    }
}
