import Foundation
import TestSupport
import Testing

/// Vectors of a live collection in a table of a PostgreSQL that has pgvector.
@Suite(
    "pgvector", .serverOutput,
    .enabled(if: PostgresServer.binariesWithPgvector != nil, Comment(rawValue: PostgresServer.absenceOfPgvector)))
struct PgvectorTests {
    private static func vector(_ number: Int, _ round: Int) -> [Float] {
        var random = SeededGenerator(seed: UInt64(number * 10 + round))
        return random.floats(8)
    }

    private func upsert(_ numbers: Range<Int>, round: Int, to connection: Connection) throws {
        try connection.upsert(
            "docs",
            numbers.map { number in
                let vectors = [
                    Make.vector(PgvectorTests.vector(number, round), space: "text"),
                    Make.vector([Float(number), Float(round)], space: "place"),
                ]
                return Make.point(Make.id(number), vectors, payload: #"{"round":\#(round)}"#)
            })
    }

    @Test func nearestInSQLIsNearestInKith() throws {
        let broker = try TestBroker(isReal: false, collections: ["docs": 2])
        let server = try ServerProcess(["--kafka.brokers", broker.address])
        let connection = server.connection
        let folder = try TemporaryFolder()
        let postgres = try PostgresServer(binaries: PostgresServer.binariesWithPgvector)
        try postgres.query("CREATE EXTENSION vector")
        try connection.create(
            "docs", [Make.space("text", dimension: 8, metric: "L2"), Make.space("place", dimension: 2, metric: "L2")],
            shards: 2, ["changeEvents": ["vectors": "VECTORS_FULL"]])
        let etl = LiveConsumer(
            [
                "etl", "--sink", "postgres", "--postgres", postgres.connection, "--postgres.consumer", "etl", "--vectors",
                "float32", "--dead-letters", folder("dead"),
            ], broker)
        for round in 0..<2 {
            try upsert(round * 20..<100, round: round, to: connection)
            try connection.call(.delete, ["collection": "docs", "ids": [Make.id(round), Make.id(90 + round)]])
            try server.waitUntilPublished("docs")
            let read = try etl.readToEnd()
            #expect(read.status == 0, "\(read.output)")
            // The index is there before the second round's rows are.
            if round == 0 { try postgres.query("CREATE INDEX ON docs USING hnsw (kith_vector_text vector_l2_ops)") }
        }
        let types = try postgres.query(
            """
            SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute
            WHERE attrelid = 'docs'::regclass AND attname LIKE 'kith_vector%' ORDER BY attname
            """)
        #expect(types.map { $0["type"] } == ["vector(2)", "vector(8)"])
        #expect(try postgres.query("SELECT count(*) AS n FROM docs") == [["n": "\(try connection.count("docs") ?? 0)"]])
        for number in [5, 25, 60] {
            let query = PgvectorTests.vector(number, 7)
            let nearest = try postgres.query(
                "SET enable_indexscan = off; SELECT id FROM docs ORDER BY kith_vector_text <-> '\(query)' LIMIT 5")
            let found = try connection.search(
                "docs", Make.vector(query, space: "text"), ["topK": 5, "vectorSpace": "text", "parameters": ["exact": true]])
            #expect(nearest.map { $0["id"] } == found.map { $0["id"]["number"].string })
        }
        let own = PgvectorTests.vector(50, 1)
        let indexed = try postgres.query(
            "SET enable_seqscan = off; SELECT id, round FROM docs ORDER BY kith_vector_text <-> '\(own)' LIMIT 1")
        #expect(indexed == [["id": "50", "round": "1"]])
        #expect(!FileManager.default.fileExists(atPath: folder("dead")))
    }
}
