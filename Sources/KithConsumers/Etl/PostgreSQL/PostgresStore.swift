import Foundation
import KithCommands
package import KithCore
import KithTelemetry

/// Changes as rows of PostgreSQL tables, one a collection: a point is a row, a deleted point is none.
///
/// Rows and progress are written in one transaction, which first checks that the progress is where this process left it: a member of the
/// group that was overtaken writes nothing. So every change is applied exactly once.
package final class PostgresStore: ChangeStore {
    package struct Options: Sendable {
        /// libpq's connection: a URI or `key=value` pairs.
        package var connection: String
        package var schema = "public"
        /// Before the collection's name in the table's.
        package var tablePrefix = ""
        package var vectors = VectorStyle.none
        /// Whose progress it is: tells several loaders into one database apart.
        package var consumer: String

        package init(connection: String, consumer: String) {
            self.connection = connection
            self.consumer = consumer
        }
    }

    private static let log = Log("postgres")
    private let options: Options
    private var database: PostgresConnection?
    private var tables: [String: PostgresTable] = [:]
    private var hasPgvector = false
    private let postgresRuns: PostgresRuns

    package var runs: any RunNotes { postgresRuns }

    package init(_ options: Options) {
        self.options = options
        postgresRuns = PostgresRuns(options)
    }

    private var progressTable: String { "\(SQL.name(options.schema)).kith_progress" }

    package func take(_ partitions: [TopicPartition]) throws(KithError) -> [TopicPartition: Progress] {
        // Whatever became of the last transaction, a new connection sees only what was committed.
        disconnect()
        let database = try connect()
        try postgresRuns.renew()
        var progress: [TopicPartition: Progress] = [:]
        for place in partitions { progress[place] = try read(place, database) }
        return progress
    }

    package func release() { disconnect() }

    package func dataset(of collection: String, topic: String) -> DatasetName {
        let location = PostgresLocation(options.connection)
        return DatasetName(
            namespace: "postgres://\(location.host):\(location.port)",
            name: "\(location.database).\(options.schema).\(tableName(collection))")
    }

    private func tableName(_ collection: String) -> String { SQL.identifier(options.tablePrefix + collection) }

    package func write(
        _ batches: [ChangeBatch], reject: (ChangeRecord, String) throws(KithError) -> Void
    ) throws(KithError) {
        guard let database else { throw KithError(.unavailable, .sinkFailure, "there is no connection to PostgreSQL") }
        for batch in batches { try write(batch, database, reject) }
    }

    // MARK: A batch

    private func write(
        _ batch: ChangeBatch, _ database: PostgresConnection, _ reject: (ChangeRecord, String) throws(KithError) -> Void
    ) throws(KithError) {
        do throws(KithError) {
            try commit(batch, database)
        } catch {
            guard error.isBadData else { throw error }
            // Which change it is shows when each is tried alone.
            tables = [:]
            try writeOneByOne(batch, database, reject)
        }
    }

    private func commit(_ batch: ChangeBatch, _ database: PostgresConnection) throws(KithError) {
        do throws(KithError) {
            try database.transaction { () throws(KithError) in
                try move(batch, database)
                var byCollection: [(name: String, changes: [ChangeRecord])] = []
                for change in batch.changes {
                    if byCollection.last?.name == change.collection {
                        byCollection[byCollection.count - 1].changes.append(change)
                    } else {
                        byCollection.append((change.collection, [change]))
                    }
                }
                for part in byCollection { try table(part.name, database).write(part.changes, database) }
            }
        } catch {
            // Columns that were added have gone again with the transaction.
            tables = [:]
            throw error
        }
    }

    private func writeOneByOne(
        _ batch: ChangeBatch, _ database: PostgresConnection, _ reject: (ChangeRecord, String) throws(KithError) -> Void
    ) throws(KithError) {
        var from = batch.from
        for change in batch.changes {
            var single = ChangeBatch(
                place: batch.place, from: from, to: Progress(offset: change.source.offset + 1, last: change.place))
            single.changes = [change]
            do throws(KithError) {
                try commit(single, database)
            } catch {
                guard error.isBadData else { throw error }
                try reject(change, error.message)
                single.changes = []
                try commit(single, database)
            }
            from = single.to
        }
        if from != batch.to { try commit(ChangeBatch(place: batch.place, from: from, to: batch.to), database) }
    }

    private func table(_ collection: String, _ database: PostgresConnection) throws(KithError) -> PostgresTable {
        if let table = tables[collection] { return table }
        let table = try PostgresTable(
            tableName(collection), schema: options.schema, vectors: options.vectors, hasPgvector: hasPgvector, database)
        tables[collection] = table
        return table
    }

    // MARK: Progress

    /// Moves a partition's progress on; the row stays locked until the transaction ends.
    private func move(_ batch: ChangeBatch, _ database: PostgresConnection) throws(KithError) {
        let key = [options.consumer, batch.place.topic, "\(batch.place.partition)"]
        try database.run(
            """
            INSERT INTO \(progressTable) (consumer, topic, partition) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
            """, key)
        let rows = try database.run(
            "SELECT progress FROM \(progressTable) WHERE consumer = $1 AND topic = $2 AND partition = $3 FOR UPDATE", key)
        guard try PostgresStore.progress(rows.first?.first ?? nil) == batch.from else { throw .overtaken(batch.place) }
        try database.run(
            "UPDATE \(progressTable) SET progress = $4, updated = now() WHERE consumer = $1 AND topic = $2 AND partition = $3",
            key + [try PostgresStore.text(batch.to)])
    }

    private func read(_ place: TopicPartition, _ database: PostgresConnection) throws(KithError) -> Progress? {
        let rows = try database.run(
            "SELECT progress FROM \(progressTable) WHERE consumer = $1 AND topic = $2 AND partition = $3",
            [options.consumer, place.topic, "\(place.partition)"])
        return try PostgresStore.progress(rows.first?.first ?? nil)
    }

    private static func progress(_ text: String?) throws(KithError) -> Progress? {
        guard let text else { return nil }
        do { return try JSONDecoder().decode(Progress.self, from: Data(text.utf8)) } catch {
            throw KithError(.dataLoss, .corruption, "the table kith_progress holds '\(text)': \(error)")
        }
    }

    private static func text(_ progress: Progress) throws(KithError) -> String {
        do { return String(decoding: try JSONEncoder().encode(progress), as: UTF8.self) } catch {
            throw KithError(.internal, .storageFailure, "progress cannot be written: \(error)")
        }
    }

    // MARK: The connection

    private func connect() throws(KithError) -> PostgresConnection {
        let made = try PostgresConnection(options.connection)
        try made.run(
            """
            CREATE TABLE IF NOT EXISTS \(progressTable) (consumer text, topic text, partition integer, progress text,
            updated timestamptz DEFAULT now(), PRIMARY KEY (consumer, topic, partition))
            """)
        hasPgvector = try !made.run("SELECT 1 FROM pg_extension WHERE extname = 'vector'").isEmpty
        database = made
        PostgresStore.log.info("connected", ["pgvector": "\(hasPgvector)"])
        return made
    }

    private func disconnect() {
        database = nil
        tables = [:]
    }
}
