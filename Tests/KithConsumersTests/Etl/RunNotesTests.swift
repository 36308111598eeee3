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
        try own?.note(run)
        try server.restart()
        try own?.renew()
        #expect(try PostgresRuns(options).leftBehind().isEmpty, "its process lives longer than the database did")
        own = nil
        #expect(try other.leftBehind().isEmpty, "it is another consumer's")
        #expect(try PostgresRuns(options).leftBehind() == [run])
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
        #expect(try second?.leftBehind() == [failed])
        #expect(try notes().leftBehind() == [], "the second tells of it")
        second = nil
        let third = notes()
        #expect(try third.leftBehind() == [failed])
        try third.forget(failed)
        #expect(try notes().leftBehind() == [])
    }
}
