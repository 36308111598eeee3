import Foundation
public import KithCore

/// Lineage: what jobs tell of their runs is told, and not kept.
extension Governance {
    /// Tells the state of a run. Answers it with the time that it was given.
    public func record(_ wanted: JobRun, _ request: GovernanceRequest) throws(KithError) -> JobRun {
        try wanted.check()
        var run = wanted
        run.id = run.id.lowercased()
        deciding.lock()
        defer { deciding.unlock() }
        run.time = Governance.now()
        let what = "run \(run.id) \(run.state.rawValue)"
        if try isDone(request, what) { return run }
        try decide(store.makeBatch(), [.runRecorded(run)], request, what, at: run.time) { _ in }
        return run
    }
}
