import Foundation
import KithConsumers
import KithCore
import TestSupport
import Testing

/// `kith-consume etl` killed after some of its commits while events come: in the end the sink has each of them exactly once.
@Suite(.serialized)
struct EtlCrashTests {
    private static let kills = 3

    /// Writes events and kills consumers, until a last one has read everything.
    private func campaign(_ topic: ChangeTopic, seed: UInt64, _ arguments: [String]) throws {
        var generator = SeededGenerator(seed: seed)
        // Each is a group of its own: the test broker waits for a killed member without end. Where to go on, only the sink tells.
        var group: [String] { ["--group", UUID().uuidString] }
        let common = [
            "etl", "--kafka.brokers", topic.brokers, "--kafka.property.fetch.wait.max.ms", "20", "--linger-ms", "1",
            "--batch-records", "7", "--log-level", "debug",
        ]
        topic.write(100, &generator)
        for _ in 0..<EtlCrashTests.kills {
            let consumer = try ChildProcess(consumeBinary, common + group + arguments)
            try consumer.waitForOutput("partitions assigned")
            topic.write(150, &generator)
            try consumer.waitForOutput("batch committed", times: Int.random(in: 0...20, using: &generator))
            consumer.kill()
        }
        topic.write(50, &generator)
        let last = try ChildProcess(consumeBinary, common + group + arguments + ["--until-end"])
        #expect(last.wait() == 0, "\(last.output)")
    }

    @Test func filesHaveEveryChangeOnce() throws {
        struct Line: Decodable { var event: String }
        let folder = try TemporaryFolder()
        let topic = try ChangeTopic("crashed_files")
        try campaign(topic, seed: 11, ["--sink", "jsonl", "--folder", folder.path, "--file-bytes", "5000"])
        let events = try (0..<topic.partitions).map { partition in
            try dataFiles(folder.path, topic.name, partition).flatMap { path in
                try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
                    try JSONDecoder().decode(Line.self, from: Data($0.utf8)).event
                }
            }
        }
        #expect(events == topic.eventIDs)
    }

    @Test(.enabled(if: PostgresServer.binaries != nil, Comment(rawValue: PostgresServer.absence)))
    func tablesEndAsTheCollectionThoughPostgresIsKilledToo() throws {
        let server = try PostgresServer()
        let folder = try TemporaryFolder()
        let topic = try ChangeTopic("crashed_tables")
        // A log of what was written, by the database itself: nothing may be written twice.
        let setUp = try PostgresConnection(server.connection)
        try setUp.run(
            """
            CREATE TABLE crashed_tables (id text PRIMARY KEY, kith_version bigint, kith_time timestamptz, kith_shard integer,
                kith_collection bigint, kith_position bigint, kith_index bigint, kith_event text, kith_rest jsonb);
            CREATE TABLE written (event text PRIMARY KEY);
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN INSERT INTO written VALUES (NEW.kith_event); RETURN NEW; END $$;
            CREATE TRIGGER note AFTER INSERT OR UPDATE ON crashed_tables FOR EACH ROW EXECUTE FUNCTION note()
            """)
        let arguments = [
            "--sink", "postgres", "--postgres", server.connection, "--postgres.consumer", "etl", "--dead-letters", folder("dead"),
        ]
        try campaign(topic, seed: 12, arguments)
        try server.restart()
        var generator = SeededGenerator(seed: 13)
        let consumer = try ChildProcess(
            consumeBinary,
            ["etl", "--kafka.brokers", topic.brokers, "--group", "last", "--until-end", "--batch-records", "5"] + arguments)
        try consumer.waitForOutput("following")
        topic.write(100, &generator)
        try server.restart()
        #expect(consumer.wait() == 0, "\(consumer.output)")
        let rows = try PostgresConnection(server.connection).run("SELECT id, kith_version FROM crashed_tables")
        let versions = Dictionary(uniqueKeysWithValues: rows.map { ($0[0] ?? "", Int($0[1] ?? "")) })
        #expect(versions == topic.points.mapValues { Optional($0.version) })
        #expect(!FileManager.default.fileExists(atPath: folder("dead")))
    }
}
