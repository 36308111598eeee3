import Foundation
package import KithCore

/// Runs as rows of the table `kith_runs`: each has an advisory lock as long as the process is connected whose run it is.
package final class PostgresRuns: RunNotes {
    private let options: PostgresStore.Options
    /// A session of its own: locks go with it.
    private var session: PostgresConnection?
    /// The run of this process.
    private var own: NotedRun?

    package init(_ options: PostgresStore.Options) { self.options = options }

    private var table: String { "\(SQL.name(options.schema)).kith_runs" }

    package func note(_ run: NotedRun) throws(KithError) {
        let database = try connect()
        // First, so that nobody finds the row without it.
        guard try lock(run.id, database) else { throw KithError(.aborted, .sinkFailure, "run \(run.id) is another process's") }
        try database.run(
            """
            INSERT INTO \(table) (consumer, run, note) VALUES ($1, $2, $3)
            ON CONFLICT (run) DO UPDATE SET note = excluded.note
            """, [options.consumer, run.id, try PostgresRuns.text(run)])
        own = run
    }

    /// Takes the lock of its run again where the database has gone in between.
    package func renew() throws(KithError) {
        if let own { try note(own) }
    }

    package func leftBehind() throws(KithError) -> [NotedRun] {
        let database = try connect()
        var runs: [NotedRun] = []
        for row in try database.run("SELECT run FROM \(table) WHERE consumer = $1", [options.consumer]) {
            guard let id = row[0], try lock(id, database) else { continue }
            // One that is there no more has just been told of by its own process.
            let notes = try database.run("SELECT note FROM \(table) WHERE run = $1", [id])
            if let note = notes.first?.first ?? nil { runs.append(try PostgresRuns.run(note)) }
        }
        return runs
    }

    package func forget(_ run: NotedRun) throws(KithError) {
        try connect().run("DELETE FROM \(table) WHERE run = $1", [run.id])
        if run.id == own?.id { own = nil }
    }

    private func connect() throws(KithError) -> PostgresConnection {
        if let session, PostgresRuns.answers(session) { return session }
        let made = try PostgresConnection(options.connection)
        try made.run("CREATE TABLE IF NOT EXISTS \(table) (consumer text, run text PRIMARY KEY, note text)")
        session = made
        return made
    }

    private static func answers(_ session: PostgresConnection) -> Bool {
        do throws(KithError) { try session.run("SELECT 1") } catch { return false }
        return true
    }

    /// Whether the session has the run's lock now.
    private func lock(_ id: String, _ database: PostgresConnection) throws(KithError) -> Bool {
        try database.run("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", [id]) == [["t"]]
    }

    // MARK: As text

    private static func run(_ text: String) throws(KithError) -> NotedRun {
        do { return try JSONDecoder().decode(NotedRun.self, from: Data(text.utf8)) } catch {
            throw KithError(.dataLoss, .corruption, "the table kith_runs holds '\(text)': \(error)")
        }
    }

    private static func text(_ run: NotedRun) throws(KithError) -> String {
        do { return String(decoding: try JSONEncoder().encode(run), as: UTF8.self) } catch {
            throw KithError(.internal, .storageFailure, "a run cannot be noted: \(error)")
        }
    }
}
