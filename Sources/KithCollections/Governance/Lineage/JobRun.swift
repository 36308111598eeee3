import Foundation
import KithCore

/// What a job tells of one of its runs.
public struct JobRun: Sendable, Equatable {
    /// Raw values are OpenLineage's.
    public enum State: String, Sendable, CaseIterable {
        case start = "START"
        case running = "RUNNING"
        case complete = "COMPLETE"
        case abort = "ABORT"
        case fail = "FAIL"
    }

    /// A job, or a dataset that is not in this server.
    public struct Name: Sendable, Equatable {
        public var namespace: String
        public var name: String

        public init(namespace: String, name: String) {
            self.namespace = namespace
            self.name = name
        }
    }

    /// What a run reads or writes.
    public enum Dataset: Sendable, Equatable {
        /// By its name, not an alias.
        case collection(String)
        case other(Name)
    }

    /// What a run writes to.
    public struct Output: Sendable, Equatable {
        public var dataset: Dataset
        /// Points or rows written; nil where it does not say.
        public var rowCount: UInt64?

        public init(_ dataset: Dataset, rowCount: UInt64? = nil) {
            self.dataset = dataset
            self.rowCount = rowCount
        }
    }

    public var job: Name
    /// A UUID.
    public var id: String
    public var state: State
    public var inputs: [Dataset]
    public var outputs: [Output]
    /// Why it failed.
    public var error: String
    /// Microseconds since 1970; set when it is told.
    public var time: Int64 = 0

    public init(
        _ job: Name, id: String, state: State, inputs: [Dataset] = [], outputs: [Output] = [], error: String = ""
    ) {
        self.job = job
        self.id = id
        self.state = state
        self.inputs = inputs
        self.outputs = outputs
        self.error = error
    }

    func check() throws(KithError) {
        try job.check("job")
        if UUID(uuidString: id) == nil {
            throw .invalid(.invalidValue, field: "run_id", "'\(id.prefix(64))' is no UUID")
        }
        for (field, count) in [("inputs", inputs.count), ("outputs", outputs.count)] where count > Limits.lineageDatasets {
            throw .limit(field: field, value: count, limit: Limits.lineageDatasets, unit: "datasets")
        }
        for (number, input) in inputs.enumerated() { try input.check("inputs[\(number)]") }
        for (number, output) in outputs.enumerated() { try output.dataset.check("outputs[\(number)].dataset") }
        try GovernanceText.check(error, field: "error", limit: Limits.descriptionBytes)
    }
}

extension JobRun.Dataset {
    fileprivate func check(_ field: String) throws(KithError) {
        if case .other(let name) = self { try name.check(field) }
    }
}

extension JobRun.Name {
    fileprivate func check(_ field: String) throws(KithError) {
        for (part, text) in [("namespace", namespace), ("name", name)] {
            if text.isEmpty { throw .invalid(.requiredFieldMissing, field: "\(field).\(part)", "must be given") }
            try GovernanceText.check(text, field: "\(field).\(part)", limit: Limits.lineageNameBytes)
        }
    }
}
