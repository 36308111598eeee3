import Foundation
import TestSupport

/// A point, as the collection or a sink of `kith-consume etl` has it.
struct SinkPoint: Equatable {
    var version: String
    var round: String
    var word: String
}

/// What `kith-consume etl` wrote in a folder.
struct SinkFiles {
    struct Row {
        var event: String
        var op: String
        var id: String
        var point: SinkPoint
    }

    /// In the order of their partition.
    let rows: [Row]

    /// - Parameter kind: jsonl or csv.
    init(_ folder: String, _ kind: String, collection: String) throws {
        let topic = "\(folder)/kith.changes.v1.\(collection)"
        rows = try FileManager.default.contentsOfDirectory(atPath: topic).sorted().flatMap { partition in
            try FileManager.default.contentsOfDirectory(atPath: "\(topic)/\(partition)").filter { $0.hasSuffix(".\(kind)") }
                .sorted()
                .flatMap { name in
                    let text = try String(contentsOfFile: "\(topic)/\(partition)/\(name)", encoding: .utf8)
                    return kind == "csv" ? try CSVText.rows(text).map(Row.init(csv:)) : try SinkFiles.rows(lines: text)
                }
        }
    }

    private static func rows(lines: String) throws -> [Row] {
        try lines.split(separator: "\n").map { Row(line: try JSONDecoder().decode(JSON.self, from: Data($0.utf8))) }
    }

    /// The points that are left when all rows are done.
    var points: [String: SinkPoint] {
        rows.reduce(into: [:]) { $0[$1.id] = $1.op == "delete" ? nil : $1.point }
    }
}

extension SinkFiles.Row {
    fileprivate init(line: JSON) {
        func text(_ value: JSON) -> String { value.string ?? value.integer.map { "\($0)" } ?? "" }
        let payload = line["payload"]
        self.init(
            event: text(line["event"]), op: text(line["op"]), id: text(line["id"]),
            point: SinkPoint(version: text(line["version"]), round: text(payload["round"]), word: text(payload["word"])))
    }

    fileprivate init(csv row: [String: String]) {
        self.init(
            event: row["event"] ?? "", op: row["op"] ?? "", id: row["id"] ?? "",
            point: SinkPoint(
                version: row["version"] ?? "", round: row["payload.round"] ?? "", word: row["payload.word"] ?? ""))
    }
}

extension PostgresServer {
    /// Runs SQL by psql; rows of the last statement by column.
    @discardableResult
    func query(_ sql: String) throws -> [[String: String]] {
        let query = try ChildProcess(
            "\(binaries)/psql", ["--no-psqlrc", "--quiet", "--csv", "--dbname", connection, "--command", sql])
        guard query.wait() == 0 else { throw ChildProcess.Failure(description: "psql: \(query.output)") }
        return query.output.isEmpty ? [] : try CSVText.rows(query.output)
    }

    /// Makes a collection's table as `etl` would, and has the database itself note what is written: nothing may be written twice.
    func makeWatchedTable(_ name: String) throws {
        try query(
            """
            CREATE TABLE \(name) (id text PRIMARY KEY, kith_version bigint, kith_time timestamptz, kith_shard integer,
                kith_collection bigint, kith_position bigint, kith_index bigint, kith_event text, kith_rest jsonb);
            CREATE TABLE written (event text PRIMARY KEY);
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN INSERT INTO written VALUES (NEW.kith_event); RETURN NEW; END $$;
            CREATE TRIGGER note AFTER INSERT OR UPDATE ON \(name) FOR EACH ROW EXECUTE FUNCTION note()
            """)
    }

    func points(_ table: String) throws -> [String: SinkPoint] {
        let rows = try query("SELECT id, kith_version, round, word FROM \(table)")
        return Dictionary(
            uniqueKeysWithValues: rows.map {
                ($0["id"] ?? "", SinkPoint(version: $0["kith_version"] ?? "", round: $0["round"] ?? "", word: $0["word"] ?? ""))
            })
    }
}
