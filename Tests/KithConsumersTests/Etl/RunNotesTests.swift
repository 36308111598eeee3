import KithConsumers
import TestSupport
import Testing

/// Runs of processes, some of which go away; here each is a value that goes away.
@Suite struct RunNotesTests {
    private let folder: TemporaryFolder
    private var run = NotedRun(id: "0-1", job: DatasetName(namespace: "kith-consume", name: "etl.docs"))

    init() throws { folder = try TemporaryFolder() }

    @Test func filesTellOfRunsWhoseProcessIsGone() throws { try check { RunFiles(folder("runs")) } }

    @Test(.enabled(if: PostgresServer.binaries != nil, Comment(rawValue: PostgresServer.absence)))
    func rowsTellOfRunsWhoseProcessIsGone() throws {
        let server = try PostgresServer()
        let options = PostgresStore.Options(connection: server.connection, consumer: "etl")
        try check { PostgresRuns(options) }

        let other = PostgresRuns(PostgresStore.Options(connection: server.connection, consumer: "another"))
        var own: PostgresRuns? = PostgresRuns(options)
        // Another run than before: whose lock may be held a moment longer.
        var run = run
        run.id = "0-2"
        try own?.note(run)
        try server.restart()
        try own?.renew()
        #expect(try PostgresRuns(options).leftBehind().isEmpty, "its process lives longer than the database did")
        own = nil
        #expect(try other.leftBehind().isEmpty, "it is another consumer's")
        #expect(try leftBehindSoon(PostgresRuns(options)) == [run])
    }

    /// A database lets go of a session's locks a moment after its connection has gone: asks until something is left behind.
    private func leftBehindSoon(_ notes: any RunNotes) throws -> [NotedRun] {
        let deadline = ContinuousClock.now + .seconds(60)
        var runs = try notes.leftBehind()
        while runs.isEmpty, ContinuousClock.now < deadline { runs = try notes.leftBehind() }
        return runs
    }

    private func check(_ notes: () -> any RunNotes) throws {
        var first: (any RunNotes)? = notes()
        var second: (any RunNotes)? = notes()
        #expect(try second?.leftBehind() == [])
        try first?.note(run)
        #expect(try second?.leftBehind() == [], "its process lives")
        var failed = run
        failed.end = .fail
        failed.error = "why"
        try first?.note(failed)
        #expect(try second?.leftBehind() == [], "its process lives")
        first = nil
        #expect(try second.map(leftBehindSoon) == [failed])
        #expect(try notes().leftBehind() == [], "the second tells of it")
        second = nil
        let third = notes()
        #expect(try leftBehindSoon(third) == [failed])
        try third.forget(failed)
        #expect(try notes().leftBehind() == [])
    }
}
