import Foundation
import KithConsumers
import KithCore
import TestSupport
import Testing

/// A PostgreSQL for all tests of this process.
private let server = Result { try PostgresServer() }

/// Changes in a real PostgreSQL.
@Suite(.enabled(if: PostgresServer.binaries != nil, Comment(rawValue: PostgresServer.absence)))
struct PostgresStoreTests {
    private func options(_ group: String = "etl") throws -> PostgresStore.Options {
        PostgresStore.Options(connection: try server.get().connection, consumer: group)
    }

    private func load(_ topic: ChangeTopic, _ options: PostgresStore.Options, batch: Int = 50) throws -> [KithConsumers
        .DeadLetter]
    {
        let letters = DeadLetterList()
        let loader = ChangeLoader(PostgresStore(options), deadLetters: letters, metrics: ConsumerMetrics())
        try followToEnd(topic, into: loader, batch: batch)
        return letters.letters
    }

    private func query(_ sql: String) throws -> [[String?]] {
        try PostgresConnection(try server.get().connection).run(sql)
    }

    @Test func theTableEndsAsTheCollection() throws {
        let topic = try ChangeTopic("same_as_collection")
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<2 {
            topic.write(200, &generator)
            #expect(try load(topic, options(), batch: 17).isEmpty)
            let rows = try query(#"SELECT id, kith_version, n, word, flag FROM same_as_collection"#)
            #expect(rows.count == topic.points.count)
            for row in rows {
                let model = try #require(topic.points[row[0] ?? ""])
                let payload = try JSONDecoder().decode(JSON.self, from: Data(model.payload.utf8))
                #expect(row[1] == "\(model.version)")
                #expect(row[2].flatMap(Double.init) == payload["n"].double)
                #expect(row[3] == payload["word"].string)
                #expect((row[4] == "t") == payload["flag"].isTrue)
            }
        }
    }

    @Test func columnsFollowTheFields() throws {
        let topic = try ChangeTopic("fields", partitions: 1)
        let payloads = [
            #"{"count":1,"name":"a","on":true}"#,
            #"{"count":9223372036854775807,"size":1.5,"list":[1,2]}"#,
            #"{"count":0.25,"name":null,"odd \"name\"":"q"}"#,
            #"{"name":5,"on":"yes","id":"own id","kith_version":"own"}"#,
            #"{"big":123456789012345678901234567890.5,"text":"tab\tnew\nback\\slash \\N"}"#,
        ]
        for (number, payload) in payloads.enumerated() {
            topic.change(number, payload)
            topic.flush()
            #expect(try load(topic, options()).isEmpty)
        }
        let types = try query(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'fields' AND column_name NOT LIKE 'kith%'"
        )
        #expect(
            Dictionary(uniqueKeysWithValues: types.map { ($0[0] ?? "", $0[1] ?? "") }) == [
                "id": "text", "count": "numeric", "name": "jsonb", "on": "jsonb", "size": "numeric", "list": "jsonb",
                "odd \"name\"": "text", "big": "numeric", "text": "text",
            ])
        let rows = try query(#"SELECT count, name, "on", kith_rest, big, text FROM fields ORDER BY id"#)
        #expect(rows.map { $0[0] } == ["1", "9223372036854775807", "0.25", nil, nil])
        #expect(rows.map { $0[1] } == [#""a""#, nil, nil, "5", nil])
        #expect(rows.map { $0[2] } == ["true", nil, nil, #""yes""#, nil])
        #expect(rows[3][3] == #"{"id": "own id", "kith_version": "own"}"#)
        #expect(rows[4][4] == "123456789012345678901234567890.5")
        #expect(rows[4][5] == "tab\tnew\nback\\slash \\N")
    }

    @Test func vectorsAreArrays() throws {
        let topic = try ChangeTopic("vectors", partitions: 1)
        let data = Data([0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]).base64EncodedString()
        topic.change(1, "{}", vectors: #","vectors":[{"data":"\#(data)"},{"space":"body","data":"\#(data)"}]"#)
        topic.flush()
        var options = try options()
        options.vectors = .numbers(.float32)
        #expect(try load(topic, options).isEmpty)
        #expect(try query("SELECT kith_vector, kith_vector_body FROM vectors") == [["{1,-2}", "{1,-2}"]])
    }

    @Test func aValueThatPostgresCannotHoldIsBuriedAlone() throws {
        let topic = try ChangeTopic("poison", partitions: 1)
        for number in 0..<10 { topic.change(number, number == 4 ? #"{"t":"nul\u0000"}"# : #"{"t":"fine"}"#) }
        topic.flush()
        let letters = try load(topic, options())
        #expect(letters.map(\.record.offset) == [4])
        #expect(try query("SELECT count(*) FROM poison") == [["9"]])
        #expect(try query("SELECT progress::json->>'offset' FROM kith_progress WHERE topic = '\(topic.name)'") == [["10"]])
    }

    @Test func anOlderEventDoesNotOverwriteANewer() throws {
        let topic = try ChangeTopic("replayed", partitions: 1)
        topic.change(1, #"{"n":1}"#)
        topic.change(1, #"{"n":2}"#)
        topic.flush()
        #expect(try load(topic, options()).isEmpty)
        // Another consumer of the same table reads everything from the start.
        #expect(try load(topic, options("again"), batch: 1).isEmpty)
        #expect(try query("SELECT n FROM replayed") == [["2"]])
        #expect(try query("SELECT kith_version FROM replayed") == [["2"]])
    }

    @Test func whoWasOvertakenWritesNothing() throws {
        let topic = try ChangeTopic("overtaken", partitions: 1)
        let place = TopicPartition(topic.name, 0)
        let slow = PostgresStore(try options())
        let quick = PostgresStore(try options())
        _ = try slow.take([place])
        _ = try quick.take([place])
        let batch = ChangeBatch(place: place, from: nil, to: Progress(offset: 5))
        try quick.write([batch]) { _, _ in }
        let error = #expect(throws: KithError.self) { try slow.write([batch]) { _, _ in } }
        #expect(error?.code == .aborted)
        #expect(try slow.take([place]) == [place: Progress(offset: 5)])
    }
}
