import KithCollections
import KithCore
import KithTelemetry
import TestSupport
import Testing

/// Sweeps at times that the test chooses.
@Suite struct RetentionSweeperTests {
    private let folder = TemporaryFolder()
    private static let second: Int64 = 1_000_000
    /// 2026-01-01T00:00:00Z.
    private static let start: Int64 = 1_767_225_600 * second

    /// Sweeps only when it is told to.
    private func open() throws -> Node { try Node.open(folder("n")) { $0.retentionMilliseconds = 3_600_000 } }

    private func retain(_ seconds: UInt32, by field: String = "", _ collection: KithCollections.Collection, _ node: Node) throws {
        let rule = Retention(collection.definition, maxAgeSeconds: seconds, field: field)
        _ = try node.governance.retain(rule, GovernanceRequest())
    }

    private func ids(_ collection: KithCollections.Collection) throws -> Set<PointID> { Set(try collection.everything().keys) }

    private func numbers(_ range: ClosedRange<UInt64>) -> Set<PointID> { Set(range.map { .number($0) }) }

    private func round(_ node: Node, after seconds: Int64) {
        node.retention.round(at: RetentionSweeperTests.start + seconds * RetentionSweeperTests.second)
    }

    private func upsert(_ ids: ClosedRange<UInt64>, _ collection: KithCollections.Collection) async throws {
        let request = WriteRequest()
        for id in ids { request.upsert(id, [Float(id), 0, 0, 0]) }
        try await collection.commit(request)
    }

    /// A point's last change counts, over a restart too.
    @Test(arguments: [1, 3]) func pointsGoByTheirLastChange(shards: Int) async throws {
        do {
            let node = try open()
            let collection = try node.make("c") { $0.shardCount = shards }
            try await upsert(1...200, collection)
            round(node, after: 0)
            try retain(100, collection, node)
            try await upsert(201...300, collection)
            try await upsert(1...10, collection)
            round(node, after: 50)
            round(node, after: 100)
            #expect(try ids(collection) == numbers(1...300), "older than, not as old as")
            node.close()
        }
        let node = folder.hold(try open())
        let collection = try node.catalogue.collection("c")
        round(node, after: 102)
        #expect(try ids(collection) == numbers(1...10).union(numbers(201...300)))
        #expect(node.metrics.retentionDeletedPoints.current == 190)
        round(node, after: 152)
        #expect(try ids(collection).isEmpty)
        #expect(node.governance.retention(of: collection.definition).deleted == 300)
        let result = node.governance.retentionResult(of: collection.definition.id)
        #expect(result.sweptAt == RetentionSweeperTests.start + 152 * RetentionSweeperTests.second && result.problem == "")
    }

    private static let dated: [(id: UInt64, payload: String, goes: Bool)] = [
        (1, #"{"at":"2026-01-01T00:00:00Z"}"#, false), (2, #"{"at":"2025-12-31T23:59:59.999999Z"}"#, true),
        (3, #"{"at":1767225600}"#, false), (4, #"{"at":1767225599}"#, true),
        (5, #"{"at":1767225600000}"#, false), (6, #"{"at":1767225599999}"#, true),
        (7, #"{"at":1767225599999999}"#, true), (8, #"{"at":"2026-01-01T01:00:00+02:00"}"#, true),
        (9, #"{"at":["2020-01-01T00:00:00Z","2026-06-01T00:00:00Z"]}"#, false), (10, #"{"at":true}"#, false),
        (11, #"{"at":"yesterday"}"#, false), (12, "", false), (13, #"{"at":"2025-02-30T00:00:00Z"}"#, false),
        (14, #"{"at":-5}"#, true), (15, #"{"at":null}"#, false), (16, #"{"at":1767225599.5}"#, true),
    ]

    @Test func pointsGoByAFieldToTheMicrosecond() async throws {
        let node = folder.hold(try open())
        let collection = try node.make("c")
        let request = WriteRequest()
        for point in RetentionSweeperTests.dated { request.upsert(point.id, [0, 0, 0, 0], payload: point.payload) }
        try await collection.commit(request)
        try retain(60, by: "at", collection, node)
        round(node, after: 60)
        let kept = RetentionSweeperTests.dated.filter { !$0.goes }.map { PointID.number($0.id) }
        #expect(try ids(collection) == Set(kept))
        #expect(node.governance.retentionResult(of: collection.definition.id).undated == 5)
        #expect(node.metrics.retentionUndatedPoints.current == 5)
    }

    @Test(arguments: [1, 3]) func heldPointsStay(shards: Int) async throws {
        let node = folder.hold(try open())
        let collection = try node.make("c") { $0.shardCount = shards }
        let request = WriteRequest()
        for id in UInt64(1)...30 { request.upsert(id, [0, 0, 0, 0], payload: #"{"at":5,"owner":\#(id % 3)}"#) }
        try await collection.commit(request)
        let hold = LegalHold("h", on: collection.definition, held: .field("owner", value: "1"))
        _ = try node.governance.place(hold, on: collection, GovernanceRequest())
        try retain(60, by: "at", collection, node)
        round(node, after: 0)
        #expect(try ids(collection) == Set((UInt64(1)...30).filter { $0 % 3 == 1 }.map { .number($0) }))
        #expect(node.governance.retentionResult(of: collection.definition.id).held == 10)
        #expect(node.metrics.retentionHeldPoints.current == 10)
        _ = try node.governance.release("h", reason: "", on: collection, GovernanceRequest())
        round(node, after: 1)
        #expect(try ids(collection).isEmpty)
    }

    @Test func aRuleThatIsRemovedDeletesNothing() async throws {
        let node = folder.hold(try open())
        let collection = try node.make("c")
        try await upsert(1...5, collection)
        round(node, after: 0)
        try retain(10, collection, node)
        try retain(0, collection, node)
        round(node, after: 1_000)
        #expect(try ids(collection) == numbers(1...5) && node.governance.retentions.isEmpty)
    }

    /// One made later under the same name has no rule.
    @Test func aRuleGoesWithItsCollection() async throws {
        let node = folder.hold(try open())
        try retain(10, try node.make("c"), node)
        try node.catalogue.delete("c", etag: "")
        let collection = try node.make("c")
        try await upsert(1...5, collection)
        round(node, after: 0)
        round(node, after: 1_000)
        #expect(try ids(collection) == numbers(1...5) && node.governance.retentions.isEmpty)
    }
}
