import KithCommands
import KithCore

/// The table of one collection: a row a point, columns of Kith's own, one a vector space, one a payload field.
///
/// Its columns are read from the database, and only ever added or widened, so that several processes may write to it.
final class PostgresTable {
    /// Columns that every table has; the three of the last change's place decide which of two changes is the newer.
    static let own = [
        ("id", "text"), ("kith_version", "bigint"), ("kith_time", "timestamptz"), ("kith_shard", "integer"),
        ("kith_collection", "bigint"), ("kith_position", "bigint"), ("kith_index", "bigint"), ("kith_event", "text"),
        ("kith_rest", "jsonb"),
    ]

    /// A column and its PostgreSQL type.
    private struct Column: Equatable {
        var name: String
        var type: String
    }

    let name: String
    private let schema: String
    private let vectors: VectorStyle
    private let hasPgvector: Bool
    /// Of the payload, in order of appearance.
    private var columns: [Column] = []
    /// Columns of the session's staging table; nil where it is yet to be made.
    private var staged: [Column]?

    init(_ name: String, schema: String, vectors: VectorStyle, hasPgvector: Bool, _ database: PostgresConnection)
        throws(KithError)
    {
        self.name = name
        self.schema = schema
        self.vectors = vectors
        self.hasPgvector = hasPgvector
        let own = PostgresTable.own.map { "\(SQL.name($0.0)) \($0.1)" }.joined(separator: ", ")
        try database.run("CREATE TABLE IF NOT EXISTS \(qualified) (\(own), PRIMARY KEY (id))")
        try readColumns(database)
    }

    private var qualified: String { "\(SQL.name(schema)).\(SQL.name(name))" }
    private var staging: String { "pg_temp.\(SQL.name(name))" }

    private func readColumns(_ database: PostgresConnection) throws(KithError) {
        let rows = try database.run(
            """
            SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
            WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
            """, [qualified])
        let own = Set(PostgresTable.own.map(\.0))
        columns = rows.compactMap { row in
            guard let name = row[0], let type = row[1], !own.contains(name) else { return nil }
            return Column(name: name, type: type)
        }
    }

    // MARK: Writing

    /// Puts changes of one shard into the table, the newest of each point; within a transaction.
    func write(_ changes: [ChangeRecord], _ database: PostgresConnection) throws(KithError) {
        var newest: [PointKey: ChangeRecord] = [:]
        for change in changes { newest[PointKey(change)] = change }
        let last = newest.values.sorted { $0.place < $1.place }
        try widen(for: last, database)
        try stage(last, database)
        try merge(database)
    }

    private struct PointKey: Hashable {
        var id: String
        init(_ change: ChangeRecord) { id = change.point.description }
    }

    /// Adds and widens columns, so that every field of the changes has its place.
    private func widen(for changes: [ChangeRecord], _ database: PostgresConnection) throws(KithError) {
        var wanted = columns
        for change in changes {
            for field in PayloadFields.of(change.after) {
                guard let type = ColumnType(field.value) else { continue }
                PostgresTable.add(field.name, type, to: &wanted)
            }
            for vector in vectorCells(change) where !wanted.contains(where: { $0.name == vector.column.name }) {
                wanted.append(vector.column)
            }
        }
        guard wanted != columns else { return }
        // Another process may have added columns meanwhile: look again, with the table locked.
        try database.run("LOCK TABLE \(qualified) IN ACCESS EXCLUSIVE MODE")
        try readColumns(database)
        var current = columns
        for column in wanted {
            guard let place = current.firstIndex(where: { $0.name == column.name }) else {
                try database.run("ALTER TABLE \(qualified) ADD COLUMN \(SQL.name(column.name)) \(column.type)")
                current.append(column)
                continue
            }
            guard let old = ColumnType(rawValue: current[place].type), let new = ColumnType(rawValue: column.type),
                old.union(new) != old
            else { continue }
            let type = old.union(new)
            try database.run(
                """
                ALTER TABLE \(qualified) ALTER COLUMN \(SQL.name(column.name)) TYPE \(type.rawValue)
                USING \(type.conversion(of: SQL.name(column.name)))
                """)
            current[place].type = type.rawValue
        }
        columns = current
    }

    private static func add(_ name: String, _ type: ColumnType, to columns: inout [Column]) {
        if let place = columns.firstIndex(where: { $0.name == name }) {
            // A column of a type that is not ours belongs to somebody else: such a field goes to the rest.
            guard let old = ColumnType(rawValue: columns[place].type) else { return }
            columns[place].type = old.union(type).rawValue
        } else if PayloadFields.isColumn(name), !isReserved(name), columns.count < Limits.payloadColumns {
            columns.append(Column(name: name, type: type.rawValue))
        }
    }

    /// Names that payload fields may not take.
    private static func isReserved(_ name: String) -> Bool { name == "id" || name.hasPrefix("kith_") }

    /// Copies the changes into a table of this session.
    private func stage(_ changes: [ChangeRecord], _ database: PostgresConnection) throws(KithError) {
        if staged != columns {
            try database.run("DROP TABLE IF EXISTS \(staging)")
            // Everything as text but for types that have no text form of their own: converted where it is merged.
            let names = PostgresTable.own.map(\.0) + columns.map(\.name)
            let definition = names.map { "\(SQL.name($0)) text" }.joined(separator: ", ")
            try database.run(
                "CREATE TEMP TABLE \(SQL.name(name)) (\(definition), kith_deleted boolean) ON COMMIT DELETE ROWS")
            staged = columns
        }
        var rows = CopyRows()
        for change in changes { append(change, to: &rows) }
        try database.copy("COPY \(staging) FROM STDIN", rows.bytes)
    }

    private func append(_ change: ChangeRecord, to rows: inout CopyRows) {
        rows.add(change.point.description)
        rows.add("\(change.version)")
        rows.add(change.timestamp)
        rows.add("\(change.shard)")
        rows.add("\(change.place.collection)")
        rows.add("\(change.place.position)")
        rows.add("\(change.place.index)")
        rows.add(change.id)
        var fields: [String: PayloadField] = [:]
        for field in PayloadFields.of(change.after) { fields[field.name] = field }
        var cells: [[UInt8]?] = []
        let vectors = Dictionary(vectorCells(change).map { ($0.column.name, $0.text) }) { $1 }
        for column in columns {
            if let vector = vectors[column.name] {
                cells.append(Array(vector.utf8))
            } else if let type = ColumnType(rawValue: column.type), let field = fields[column.name] {
                fields[column.name] = nil
                cells.append(field.isNull ? nil : type.text(field))
            } else {
                cells.append(nil)
            }
        }
        let rest = PayloadFields.object(fields.values.filter { !$0.isNull })
        rows.add(rest.isEmpty ? nil : rest)
        for cell in cells { rows.add(cell) }
        rows.add(change.after == nil ? "t" : "f")
        rows.endRow()
    }

    /// Vectors of the point, each with the column it belongs in: `kith_vector_<space>`, of pgvector's type where the extension is there.
    private func vectorCells(_ change: ChangeRecord) -> [(column: Column, text: String)] {
        guard case .numbers(let element) = vectors, let after = change.after else { return [] }
        return after.vectors.filter { !$0.data.isEmpty }.map { vector in
            let values = VectorComponents.floats(vector.data, element)
            let type = hasPgvector && values.count <= PostgresTable.pgvectorDimension ? "vector(\(values.count))" : "real[]"
            let name = SQL.identifier(vector.space.isEmpty ? "kith_vector" : "kith_vector_\(vector.space)")
            let list = values.map { "\($0)" }.joined(separator: ",")
            let existing = columns.first { $0.name == name }?.type ?? type
            return (Column(name: name, type: type), existing.hasPrefix("vector") ? "[\(list)]" : "{\(list)}")
        }
    }

    /// What pgvector stores, at most.
    private static let pgvectorDimension = 16_000

    /// Brings the staged changes into the table, but for those that are older than what is there.
    private func merge(_ database: PostgresConnection) throws(KithError) {
        let all = PostgresTable.own.map { Column(name: $0.0, type: $0.1) } + columns
        let names = all.map { SQL.name($0.name) }.joined(separator: ", ")
        let values = all.map { "s.\(SQL.name($0.name))::\($0.type)" }.joined(separator: ", ")
        let updates = all.dropFirst().map { "\(SQL.name($0.name)) = EXCLUDED.\(SQL.name($0.name))" }.joined(separator: ", ")
        func place(_ table: String, _ cast: String = "") -> String {
            "(\(table).kith_collection\(cast), \(table).kith_position\(cast), \(table).kith_index\(cast))"
        }
        try database.run(
            """
            INSERT INTO \(qualified) AS t (\(names)) SELECT \(values) FROM \(staging) s WHERE NOT s.kith_deleted
            ON CONFLICT (id) DO UPDATE SET \(updates) WHERE \(place("t")) < \(place("EXCLUDED"));
            DELETE FROM \(qualified) t USING \(staging) s
            WHERE s.kith_deleted AND t.id = s.id AND \(place("t")) < \(place("s", "::bigint"));
            DELETE FROM \(staging)
            """)
    }
}
