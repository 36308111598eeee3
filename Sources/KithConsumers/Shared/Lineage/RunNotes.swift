package import KithCore

/// What is to be told of a run when its process is gone.
package struct NotedRun: Codable, Equatable, Sendable {
    /// A UUID.
    package var id: String
    package var job: DatasetName
    /// How it ended; until it has, how it does where it is killed.
    package var end = RunEnd.abort
    /// Why it failed.
    package var error = ""

    package init(id: String, job: DatasetName) {
        self.id = id
        self.job = job
    }
}

/// How a run ends; names end as those of `kith.v1.RunState`.
package enum RunEnd: String, Codable, Sendable {
    /// It has done what it was asked for.
    case complete = "COMPLETE"
    /// It was stopped before.
    case abort = "ABORT"
    case fail = "FAIL"
}

/// Runs whose end was not yet told, kept beside the data: whoever starts next tells the end of one that was killed.
package protocol RunNotes: AnyObject {
    /// Notes a run of this process, in the place of what was noted of it before.
    func note(_ run: NotedRun) throws(KithError)

    /// Noted runs whose processes are gone. No other process gets them as long as this one lives.
    func leftBehind() throws(KithError) -> [NotedRun]

    /// Its end is told.
    func forget(_ run: NotedRun) throws(KithError)
}
