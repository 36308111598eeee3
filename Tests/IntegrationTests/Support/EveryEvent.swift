import Foundation
import KithEvents
import TestSupport

/// Requests that make a server publish an event of every type, but for GAPs: those want a broker that is away.
struct EveryEvent {
    /// Shards of the collections that are made.
    static let collections = ["digests": 2, "images": 1, "bare": 1, "framed": 1, "framed_json": 1, "visits": 1, "short": 1]
    /// The points that the erasure is of.
    static let erased = ["1", "4"]
    private static let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    /// As somebody with a name and a program.
    let connection: Connection

    init(_ server: ServerProcess) throws {
        connection = try Connection(
            server.address,
            metadata: ["kith-actor": "alice", "kith-client": "recorder/1.2", "traceparent": EveryEvent.trace])
    }

    /// In order; a server may be started anew between them.
    static let steps: [@Sendable (EveryEvent) throws -> Void] = [
        { try $0.makeCollections() }, { try $0.changePoints() }, { try $0.changeCatalogue() }, { try $0.decide() },
        { try $0.retain() }, { try $0.runJob() }, { try $0.readAndFail() },
    ]

    private func makeCollections() throws {
        let text = Make.space("text", dimension: 2, metric: "L2")
        var space = text
        space["model"] = ["id": "sentence-transformers/all-MiniLM-L6-v2", "revision": "2"]
        try connection.create(
            "digests", [space, Make.space("image", dimension: 3, metric: "DOT", index: "flat")], shards: 2,
            [
                "description": "of every kind", "labels": ["owner": "search", "region": "eu-1"],
                "changeEvents": [
                    "state": true, "transactions": true,
                    "redactions": [
                        ["path": "secret", "action": "ACTION_DROP"], ["path": "person.email", "action": "ACTION_HASH"],
                        ["path": "phone", "action": "ACTION_MASK"],
                    ],
                ],
            ])
        for (name, events): (String, JSON) in [
            ("images", ["vectors": "VECTORS_FULL", "encoding": "ENCODING_JSON", "state": true, "transactions": true]),
            ("bare", ["vectors": "VECTORS_NONE", "state": true, "stateVectors": "VECTORS_NONE"]),
            ("framed", ["vectors": "VECTORS_FULL", "state": true, "schemaRegistry": ["changeSchemaId": 7, "stateSchemaId": 8]]),
            ("framed_json", ["encoding": "ENCODING_JSON", "schemaRegistry": ["changeSchemaId": 9, "stateSchemaId": 10]]),
        ] { try connection.create(name, [text], ["changeEvents": events]) }
    }

    /// Creates, updates and deletes, of numbers, UUIDs and names, alone and several at once.
    private func changePoints() throws {
        for (number, name) in ["digests", "images", "bare", "framed", "framed_json"].enumerated() {
            let ids: [JSON] = [Make.id(1), ["uuid": .bytes((0..<16).map { UInt8($0) })], Make.id("a name"), Make.id(4)]
            let payload =
                #"{"n":1,"secret":"s","person":{"email":"a@example.org"},"phone":"1","ssn":"078-05-1120"}"#
            for request in 1...2 {
                let points = ids.map { Make.point($0, [Make.vector([Float(request), 1], space: "text")], payload: payload) }
                try connection.upsert(name, points, ["requestId": .text("r-\(number)-\(request)")])
            }
            try connection.call(
                .updatePayload,
                [
                    "collection": .text(name), "ids": [ids[0]], "mode": "PAYLOAD_MODE_MERGE",
                    "payloadJson": #"{"n":2,"text":"é, \"quoted\""}"#,
                ])
            try connection.call(.updatePayload, ["collection": .text(name), "ids": [ids[2]], "mode": "PAYLOAD_MODE_CLEAR"])
            try connection.call(.delete, ["collection": .text(name), "ids": .list(Array(ids[1...2]))])
        }
        let large = #"{"text":"\#(String(repeating: "x", count: 30_000))"}"#
        for name in ["images", "bare"] {
            try connection.upsert(name, [Make.point(Make.id("large"), [Make.vector([3, 1], space: "text")], payload: large)])
        }
        let pair = [Make.vector([1, 2], space: "text"), Make.vector([1, 2, 3], space: "image")]
        try connection.upsert("digests", [Make.point(Make.id(9), pair)])
        try connection.call(
            .updateVectors, ["collection": "digests", "operations": [["id": Make.id(9), "removeSpaces": ["text"]]]])
    }

    private func changeCatalogue() throws {
        func update(_ collection: JSON, _ mask: JSON) throws {
            try connection.call(.updateCollection, ["collection": collection, "updateMask": mask])
        }
        try update(["name": "digests", "labels": ["owner": "platform", "region": "eu-1"]], "labels")
        try update(["name": "bare", "vectorSpaces": [["name": "text", "index": ["kind": "flat"]]]], "vectorSpaces")
        func assign(_ collection: JSON) -> JSON { ["assign": ["alias": "live", "collection": collection]] }
        for action: JSON in [assign("digests"), assign("images"), ["remove": ["alias": "live"]]] {
            try connection.call(.updateAliases, ["actions": [action]])
        }
        try connection.create("short", [Make.space(dimension: 2, metric: "L2")])
        try connection.call(.deleteCollection, ["name": "short"])
    }

    private func decide() throws {
        try connection.call(
            .registerModel,
            [
                "model": [
                    "id": "minilm", "revision": "2", "owner": "search", "dimension": 384, "licence": "apache-2.0",
                    "description": "for sentences", "labels": ["team": "search"],
                ], "requestId": "m-1",
            ])
        try connection.call(
            .setClassification,
            [
                "collection": "images", "field": "person.email", "classification": "restricted", "labels": ["pii"],
                "reason": "names people",
            ])
        try connection.call(
            .setClassification, ["collection": "images", "classification": "internal"])
        for hold: JSON in [
            ["name": "case-1", "points": [Make.id(9)], "reason": "court order"],
            ["name": "case-2", "field": "person.email", "valueJson": #""b@example.org""#],
        ] {
            var hold = hold
            hold["collection"] = "digests"
            try connection.call(.placeLegalHold, ["hold": hold])
        }
        try connection.call(.releaseLegalHold, ["hold": "case-1", "reason": "settled"])
        for (name, what): (String, (String, JSON)) in [
            ("gdpr-1", ("points", .all(EveryEvent.erased) { ["number": .text($0)] })), ("gdpr-2", ("field", "person.email")),
        ] {
            var erasure: JSON = ["name": .text(name), "subject": "ticket-1", "reason": "asked for"]
            erasure[what.0] = what.1
            erasure["collection"] = what.0 == "points" ? "images" : "framed"
            if what.0 == "field" { erasure["valueJson"] = #""a@example.org""# }
            try connection.call(.requestErasure, ["erasure": erasure, "requestId": .text("e-\(name)")])
            try EveryEvent.waitUntilProved(name, connection)
        }
    }

    static func waitUntilProved(_ erasure: String, _ connection: Connection) throws {
        try wait(until: "\(erasure) is proved") {
            try connection.call(.getErasure, ["erasure": .text(erasure)])["stage"] == "STAGE_PROVED"
        }
    }

    /// Asks every tenth of a second, for a minute.
    private static func wait(until what: String, _ isSo: () throws -> Bool) throws {
        let pace = NSCondition()
        for _ in 0..<600 {
            if try isSo() { return }
            pace.withLock { _ = pace.wait(until: Date(timeIntervalSinceNow: 0.1)) }
        }
        throw ChildProcess.Failure(description: "not within a minute: \(what)")
    }

    /// A rule that deletes one point of two, another that deletes nothing, and none any more.
    private func retain() throws {
        try connection.create("visits", [Make.space(dimension: 2, metric: "L2")])
        for (number, time) in ["2001-09-09T01:46:40Z", "2999-01-01T00:00:00Z"].enumerated() {
            try connection.upsert("visits", [Make.point(number, [1, 2], payload: #"{"seen_at":"\#(time)"}"#)])
        }
        try connection.call(.setRetention, ["collection": "visits", "maxAgeSeconds": 86_400, "field": "seen_at"])
        try EveryEvent.wait(until: "the old visit is gone") {
            try connection.call(.getRetention, ["collection": "visits"])["deleted"] == "1"
        }
        try connection.call(.setRetention, ["collection": "visits", "maxAgeSeconds": 3_000_000_000])
        try connection.call(.setRetention, ["collection": "visits"])
    }

    /// A job that writes a collection, and fails.
    private func runJob() throws {
        for (state, more): (String, [String: JSON]) in [
            ("START", ["outputs": [["collection": "visits"]]]),
            ("COMPLETE", ["outputs": [["collection": "visits", "rowCount": "2"]]]), ("FAIL", ["error": "out of memory"]),
        ] {
            var request: JSON = [
                "job": ["namespace": "airflow", "name": "embed"], "runId": "7e57d004-2b97-4e7a-b45f-5387367791cd",
                "state": .text("RUN_STATE_\(state)"), "inputs": [["namespace": "s3://raw", "name": "visits"]],
            ]
            for (field, value) in more { request[field] = value }
            try connection.call(.recordRun, request)
        }
    }

    /// What an audit of everything tells beside writes.
    private func readAndFail() throws {
        _ = try connection.search("digests", Make.vector([1, 1], space: "text"), ["vectorSpace": "text"])
        _ = try connection.point("digests", Make.id(9))
        for request: (Method, JSON) in [
            (.deleteCollection, ["name": "nowhere"]),
            (.upsert, ["collection": "bare", "points": [Make.point(2, [1, 2, 3])], "requestId": .text(EveryEvent.lastRequest)]),
        ] {
            do { try connection.call(request.0, request.1) } catch is CallError { continue }
            throw ChildProcess.Failure(description: "\(request.0) was done")
        }
    }

    /// The request after which nothing more is asked: whoever has its audit event has those of the node's log before it.
    static let lastRequest = "the-last"

    /// Waits until Kafka has the events of all steps.
    static func waitUntilPublished(_ server: ServerProcess, to broker: TestBroker) throws {
        let living = collections.keys.filter { $0 != "short" }
        let last = Data(lastRequest.utf8)
        try wait(until: "all is published") {
            let isPublished = try living.allSatisfy { name in
                let positions = try server.connection.call(.getPositions, ["collection": .text(name)])
                return positions["published"] == positions["latest"]
            }
            return try isPublished && broker.records(of: "kith.audit.v1").contains { Data($0.value ?? []).range(of: last) != nil }
        }
    }

    // MARK: Gaps

    /// Waits until the change log has let go of the commits up to that one.
    static func waitUntilTrimmed(_ collection: String, _ server: ServerProcess, beyond position: UInt64) throws {
        try wait(until: "\(collection) is trimmed") {
            let positions = try server.connection.call(.getPositions, ["collection": .text(collection)])
            return positions["earliest"][0]["position"].integer ?? 0 > position
        }
    }

    /// A server that drops what its full change log cannot hold.
    static let trims = ["--change-log-full", "trim", "--change-log-bytes", "1048576"]

    /// Has commits of a collection of one shard lost while the broker is away, and some before and after it.
    static func loseCommits(of collection: String, _ server: ServerProcess, _ broker: TestBroker, _ events: JSON = [:]) throws {
        try server.connection.create(
            collection, [Make.space(dimension: 2, metric: "L2", index: "flat")], ["changeEvents": events])
        func write(_ numbers: Range<Int>, bytes: Int) throws {
            for number in numbers {
                let payload = #"{"n":\#(number),"text":"\#(String(repeating: "x", count: bytes))"}"#
                try server.connection.upsert(collection, [Make.point(number, [Float(number), 1], payload: payload)])
            }
        }
        try write(0..<5, bytes: 1)
        try server.waitUntilPublished(collection)
        try broker.goAway()
        try write(5..<65, bytes: 100_000)
        try waitUntilTrimmed(collection, server, beyond: 6)
        // What its producer holds in memory would not be lost.
        try server.restart()
        try broker.comeBack()
        try write(65..<70, bytes: 1)
        try server.waitUntilPublished(collection)
    }
}
