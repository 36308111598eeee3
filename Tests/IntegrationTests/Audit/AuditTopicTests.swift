import Foundation
import TestSupport
import Testing

/// Who did what with which outcome, in a real Kafka.
@Suite(.serverOutput, .enabled(if: TestEnvironment.kafka != nil, Comment(rawValue: RealBroker.absence)))
struct AuditTopicTests {
    private struct Event: Decodable {
        struct Context: Decodable {
            var method: String
        }
        struct Counts: Decodable {
            var returned: String?
            var created: String?
        }
        var id: String
        var kind: String
        var resource: String?
        var outcome: String
        var code: String
        var reason: String?
        var requestId: String?
        var context: Context
        var counts: Counts?

        /// What happened, in one line.
        var line: String {
            let method = context.method.split(separator: "/").last ?? ""
            return "\(method) \(resource ?? "-") \(kind.dropFirst("AUDIT_KIND_".count)) \(code) \(reason ?? "")"
                .trimmingCharacters(in: .whitespaces)
        }
    }

    /// Requests of every kind and end; the server stops behind them, so everything is recorded.
    private func run(_ policy: String) throws -> [Event] {
        let broker = try RealBroker()
        let server = try ServerProcess([
            "--kafka.brokers", broker.address, "--events.audit", policy, "--events.encoding", "json",
        ])
        let connection = server.connection
        try connection.create("docs", [Make.space(dimension: 2, metric: "L2")])
        try connection.upsert("docs", [Make.point(1, [1, 1])], ["requestId": "r-1"])
        for request: (Method, JSON) in [
            (.upsert, ["collection": "docs", "points": [Make.point(2, [1, 2, 3])], "requestId": "r-2"]),
            (.delete, ["collection": "nowhere", "ids": [Make.id(1)]]),
            (.deleteCollection, ["name": "nowhere"]),
            (.search, ["collection": "docs", "query": ["vector": Make.vector([1])]]),
        ] {
            #expect(throws: CallError.self) { try connection.call(request.0, request.1) }
        }
        _ = try connection.search("docs", Make.vector([1, 1]))
        _ = try connection.point("docs", Make.id(1))
        let export = try connection.open(.export, ["collection": "docs"])
        while try export.read() != nil {}
        try export.finish()
        #expect(server.terminate() == 0)
        try server.restart()
        let records = try broker.records(of: "kith.audit.v1", atLeast: 1_000, seconds: 5)
        let events = try records.map { try JSONDecoder().decode(Event.self, from: Data($0.value.utf8)) }
        #expect(Set(events.map(\.id)).count == events.count)
        #expect(records.allSatisfy { $0.headers["ce_type"] == "io.kith.audit.recorded.v1" && $0.headers["ce_subject"] != "" })
        return events
    }

    private static let writes = [
        "CreateCollection collections/docs ADMIN OK", "Delete collections/nowhere WRITE NOT_FOUND COLLECTION_NOT_FOUND",
        "DeleteCollection collections/nowhere ADMIN NOT_FOUND COLLECTION_NOT_FOUND",
        "Upsert collections/docs WRITE INVALID_ARGUMENT INVALID_DIMENSION", "Upsert collections/docs WRITE OK",
    ]
    private static let reads = [
        "Export collections/docs READ OK", "Get collections/docs READ OK",
        "Search collections/docs READ INVALID_ARGUMENT INVALID_DIMENSION", "Search collections/docs READ OK",
    ]

    @Test func writesAndWhatFailed() throws {
        let events = try run("writes")
        #expect(events.map(\.line).sorted() == AuditTopicTests.writes.sorted())
        let failed = try #require(events.first { $0.requestId == "r-2" })
        #expect(failed.outcome == "AUDIT_OUTCOME_FAILED")
        #expect(events.first { $0.requestId == "r-1" }?.counts?.created == "1")
    }

    @Test func readsToo() throws {
        let events = try run("all")
        #expect(events.map(\.line).sorted() == (AuditTopicTests.writes + AuditTopicTests.reads).sorted())
        for method in ["Search", "Get"] {
            let read = events.first { $0.context.method.hasSuffix("/\(method)") && $0.code == "OK" }
            #expect(read?.counts?.returned == "1", "\(method)")
        }
    }
}
