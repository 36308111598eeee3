import Foundation
import KithConsumers
import KithCore
import TestSupport
import Testing

/// Policies held against events.
@Suite struct GovernanceTests {
    private static let policies = #"""
        {"policies": [
          {"name": "owned", "required_labels": ["owner"], "residency": {"label": "region", "allowed": ["eu-*"]}},
          {"name": "models", "collections": ["docs*"], "allowed_models": ["minilm*"]},
          {"name": "kept", "retention": {"label": "days", "max": 30}},
          {"name": "gone", "collections": ["visits"], "max_retention": "30d"},
          {"name": "pii", "forbidden_fields": ["ss*n"], "pii_patterns": {"email": "[^@ ]+@[^@ ]+"}}
        ]}
        """#

    private let folder: TemporaryFolder
    private let server = Server()
    private let sink: GovernanceSink

    /// What a server answers to GetEvent.
    private final class Server {
        var event: String?
    }

    init() throws {
        folder = try TemporaryFolder()
        let policies = try Policy.read(Array(GovernanceTests.policies.utf8), name: "test")
        let metrics = ConsumerMetrics()
        let claims = ClaimedEvents(passes: true, metrics: metrics) { [server] (_) throws(KithError) in
            guard let event = server.event else { throw KithError(.outOfRange, .positionTrimmed, "gone") }
            return Data(#"{"event":\#(event)}"#.utf8)
        }
        sink = GovernanceSink(folder.path, policies: policies, publisher: nil, claims: claims, metrics: metrics)
        _ = try sink.take([])
    }

    private func add(_ topic: String, _ id: String, _ json: String, offset: Int64 = 0) throws {
        try sink.add(
            ConsumedRecord(
                place: TopicPartition(topic, 0), offset: offset, key: Array("1".utf8), value: Array(json.utf8),
                headers: [("ce_id", Array(id.utf8)), ("content-type", Array("application/json".utf8))]))
    }

    private func define(_ position: Int, labels: String, model: String, name: String = "docs") throws {
        try add(
            "kith.catalog.v1", "kith/0.0/\(position)/0",
            """
            {"id":"kith/0.0/\(position)/0","op":"CHANGE_OPERATION_UPDATE","kind":"RESOURCE_KIND_COLLECTION","resource":"collections/\(name)",
            "collectionId":1,"after":{"collection":{"name":"\(name)","labels":\(labels),"vectorSpaces":[{"name":"","model":{"id":"\(model)"}}]}}}
            """)
    }

    private func change(_ position: Int, _ payload: String) throws {
        try add(
            "kith.changes.v1.docs", "kith/1.0/\(position)/0",
            """
            {"id":"kith/1.0/\(position)/0","op":"CHANGE_OPERATION_CREATE","after":{"id":{"number":"1"},"payloadJson":\(quoted(payload))},
            "source":{"collection":"docs","collectionId":1,"position":"\(position)","context":{"actor":{"id":"alice"}}}}
            """, offset: Int64(position))
    }

    private func violations() throws -> Set<String> {
        _ = try sink.commit()
        return Set(try GovernanceSink.state(in: folder.path).violations.keys)
    }

    @Test func definitionsAreCheckedAndMended() throws {
        try define(1, labels: #"{"region":"us-1","days":"90"}"#, model: "ada")
        #expect(
            try violations() == [
                "owned/required_labels/collections/docs/labels/owner", "owned/residency/collections/docs/labels/region",
                "kept/retention/collections/docs/labels/days", "models/allowed_models/collections/docs/vectorSpaces/",
            ])
        try define(2, labels: #"{"owner":"search","region":"eu-1","days":"30"}"#, model: "minilm-6")
        #expect(try violations().isEmpty)
        #expect(try GovernanceSink.state(in: folder.path).collections["docs"]?.labels["owner"] == "search")
    }

    @Test func payloadsAreCheckedAndNotRepeated() throws {
        try change(1, #"{"ssn":1,"text":"write to me@example.com","n":2}"#)
        try change(2, #"{"text":"other@example.com"}"#)
        #expect(
            try violations() == [
                "pii/forbidden_fields/collections/docs/fields/ssn", "pii/pii_patterns.email/collections/docs/fields/text",
            ])
        let state = try GovernanceSink.state(in: folder.path)
        #expect(state.violations["pii/pii_patterns.email/collections/docs/fields/text"]?.count == 2)
        #expect(state.collections["docs"]?.fields["n"]?.types == ["bigint"])
        #expect(state.collections["docs"]?.writers == ["alice": 2])
        let text = try String(contentsOfFile: folder("governance.json"), encoding: .utf8)
        #expect(!text.contains("me@example.com"))
    }

    @Test func eventsThatComeAgainCountOnce() throws {
        for position in [1, 2, 1, 2, 3] { try change(position, "{}") }
        _ = try sink.commit()
        #expect(try GovernanceSink.state(in: folder.path).collections["docs"]?.changes == 3)
    }

    @Test func topicsHaveNoCommonOrder() throws {
        let classified = #"{"classified":{"collection":"docs","classification":"internal"}}"#
        try add("kith.governance.v1", "kith/0.0/5/0", classified)
        // Changes of the collection that was made anew, before those of the first one and its deletion.
        for (collection, position) in [(2, 1), (1, 7)] {
            try add(
                "kith.changes.v1.docs", "kith/\(collection).0/\(position)/0",
                """
                {"id":"kith/\(collection).0/\(position)/0","op":"CHANGE_OPERATION_CREATE","after":{"id":{"number":"1"}},
                "source":{"collection":"docs","collectionId":\(collection),"position":"\(position)"}}
                """)
        }
        try add(
            "kith.catalog.v1", "kith/0.0/3/0",
            """
            {"id":"kith/0.0/3/0","op":"CHANGE_OPERATION_DELETE","kind":"RESOURCE_KIND_COLLECTION","resource":"collections/docs",
            "collectionId":1}
            """)
        _ = try sink.commit()
        let collection = try #require(try GovernanceSink.state(in: folder.path).collections["docs"])
        #expect(collection.id == 2 && collection.changes == 1 && collection.classification == "internal")
    }

    private func claim() throws {
        try add(
            "kith.changes.v1.docs", "kith/1.0/1/0",
            """
            {"id":"kith/1.0/1/0","op":"CHANGE_OPERATION_CREATE","after":{"id":{"number":"1"},"version":"1"},
            "source":{"collection":"docs","collectionId":1,"position":"1"},"claimCheck":{"eventId":"kith/1.0/1/0","bytes":"2000000"}}
            """)
    }

    @Test func whatHadNoRoomInKafkaIsFetchedAndChecked() throws {
        server.event = #"""
            {"id":"kith/1.0/1/0","op":"CHANGE_OPERATION_CREATE","after":{"id":{"number":"1"},"version":"1","payloadJson":"{\"ssn\":1}"},
            "source":{"collection":"docs","collectionId":1,"position":"1"}}
            """#
        try claim()
        #expect(try violations() == ["pii/forbidden_fields/collections/docs/fields/ssn"])
        let collection = try GovernanceSink.state(in: folder.path).collections["docs"]
        #expect(collection?.changes == 1 && collection?.unread == nil && collection?.fields["ssn"]?.types == ["bigint"])
    }

    @Test func whatCannotBeFetchedIsCounted() throws {
        try claim()
        #expect(try violations().isEmpty)
        let collection = try GovernanceSink.state(in: folder.path).collections["docs"]
        #expect(collection?.changes == 1 && collection?.unread == 1)
    }

    @Test func lineageHasModelsWritersAndJobs() throws {
        try define(1, labels: "{}", model: "ada")
        try change(1, "{}")
        try add(
            "kith.lineage.v1", "run/1",
            #"{"job":{"namespace":"spark","name":"embed"},"inputs":[{"namespace":"s3","name":"raw"}],"outputs":[{"namespace":"kith://kith","name":"docs"}]}"#
        )
        _ = try sink.commit()
        let graph = LineageGraph(try GovernanceSink.state(in: folder.path), topicPrefix: "kith")
        #expect(
            graph.edges.map { "\($0.from)>\($0.to)" } == [
                "collection:docs>topic:kith.changes.v1.docs", "job:spark/embed>collection:docs", "model:ada>collection:docs",
                "s3/raw>job:spark/embed", "writer:alice>collection:docs",
            ])
        #expect(graph.dot.contains(#""model:ada" -> "collection:docs";"#))
    }

    @Test func decisionsAreKeptAsLastTold() throws {
        let events = [
            #""modelRegistered":{"id":"minilm","revision":"2","owner":"search"}"#,
            #""legalHold":{"hold":"case-1","collection":"docs","placed":true,"reason":"court","points":[{"number":"1"},{"name":"a"}]}"#,
            #""legalHold":{"hold":"case-2","collection":"docs","placed":true,"field":"person.id"}"#,
            #""legalHold":{"hold":"case-2","collection":"docs","field":"person.id","reason":"settled"}"#,
            #""erasureRequested":{"erasure":"e-1","subject":"ticket","collection":"docs","requested":"3"}"#,
            #""erasureRequested":{"erasure":"e-2","subject":"other","collection":"docs","requested":"1"}"#,
            #""erasureProved":{"erasure":"e-1","subject":"ticket","collection":"docs","requested":"3","deleted":"2","pointsSha256":"AAAA"}"#,
        ]
        for (number, event) in events.enumerated() {
            try add("kith.governance.v1", "kith/0.0/\(number + 1)/0", "{\(event)}", offset: Int64(number))
        }
        _ = try sink.commit()
        let state = try GovernanceSink.state(in: folder.path)
        #expect(state.models == ["minilm@2": "search"])
        let holds = state.holds.mapValues { "\($0.collection) \($0.what) \($0.reason) \($0.stands)" }
        #expect(holds == ["case-1": "docs 2 points court true", "case-2": "docs by person.id settled false"])
        #expect(state.erasures["e-1"]?.deleted == 2 && state.erasures["e-1"]?.pointsSHA256 == "AAAA")
        let open = state.erasures["e-2"]
        #expect(open?.requested == 1 && open?.subject == "other" && open?.deleted == nil)
    }

    private func decide(_ position: Int, _ event: String) throws {
        try add("kith.governance.v1", "kith/0.0/\(position)/0", "{\(event)}", offset: Int64(position))
    }

    private func define(visits position: Int) throws {
        try define(position, labels: #"{"owner":"web","region":"eu-1","days":"30"}"#, model: "", name: "visits")
    }

    @Test func retentionIsHeldAgainstPolicies() throws {
        let broken: Set = ["gone/max_retention/collections/visits/retention"]
        func what() throws -> String? { try GovernanceSink.state(in: folder.path).violations.values.first?.what }
        try define(visits: 1)
        #expect(try violations() == broken && what() == "there is no rule of retention")
        try decide(2, #""retentionSet":{"collection":"visits","maxAgeSeconds":2592000,"field":"seen_at"}"#)
        try decide(3, #""retentionApplied":{"collection":"visits","rule":"older than 2592000 s by seen_at","points":"7"}"#)
        #expect(try violations().isEmpty)
        try decide(4, #""retentionSet":{"collection":"visits","maxAgeSeconds":2592001}"#)
        #expect(try violations() == broken && what() == "points are kept for 2592001 s, over 2592000 s")
        try decide(5, #""retentionSet":{"collection":"visits","maxAgeSeconds":3000000}"#)
        #expect(try violations() == broken && what() == "points are kept for 3000000 s, over 2592000 s")
        let retention = try GovernanceSink.state(in: folder.path).collections["visits"]?.retention
        #expect(retention?.text == "older than 3000000 s by last change" && retention?.deleted == 7)
        try decide(6, #""retentionSet":{"collection":"visits","maxAgeSeconds":60}"#)
        #expect(try violations().isEmpty)
        try decide(7, #""retentionSet":{"collection":"visits"}"#)
        #expect(try violations() == broken && what() == "there is no rule of retention")
    }

    /// Rules and definitions are in two topics, which have no common order.
    @Test func retentionMayBeToldBeforeTheDefinition() throws {
        try decide(2, #""retentionSet":{"collection":"visits","maxAgeSeconds":60}"#)
        try define(visits: 1)
        #expect(try violations().isEmpty)
        // A collection of another name needs no rule.
        try define(3, labels: #"{"owner":"web","region":"eu-1","days":"30"}"#, model: "minilm")
        #expect(try violations().isEmpty)
    }

    /// What is told late of a collection that was dropped says nothing of the next one of its name.
    @Test func decisionsAboutAnEarlierCollectionAreNotAboutThisOne() throws {
        try define(visits: 1)
        let broken = try violations()
        let id = try #require(try GovernanceSink.state(in: folder.path).collections["visits"]?.id)
        try decide(2, #""retentionSet":{"collection":"visits","collectionId":\#(id + 1),"maxAgeSeconds":60}"#)
        try decide(3, #""retentionApplied":{"collection":"visits","collectionId":\#(id),"points":"7"}"#)
        try decide(4, #""classified":{"collection":"visits","collectionId":\#(id),"classification":"public"}"#)
        try decide(5, #""retentionSet":{"collection":"visits","collectionId":\#(id),"maxAgeSeconds":61}"#)
        #expect(try violations() == broken)
        let collection = try #require(try GovernanceSink.state(in: folder.path).collections["visits"])
        #expect(collection.id == id + 1 && collection.classification == nil)
        #expect(collection.retention?.text == "older than 60 s by last change" && collection.retention?.deleted == 0)
    }

    @Test(arguments: [
        #"{"policies":[{"name":"a","max_retention":"30"}]}"#, #"{"policies":[{"name":"a","max_retention":30}]}"#, "", "[]", "{}",
        #"{"policies":{}}"#, #"{"policies":[{}]}"#, #"{"policies":[{"name":"a","typo":1}]}"#,
        #"{"policies":[{"name":"a"},{"name":"a"}]}"#, #"{"policies":[{"name":"a","pii_patterns":{"x":"["}}]}"#,
        #"{"policies":[{"name":"a","required_labels":"owner"}]}"#,
    ])
    func wrongPoliciesSaySo(_ text: String) {
        let error = #expect(throws: KithError.self) { try Policy.read(Array(text.utf8), name: "p.json") }
        #expect(error?.reason == .invalidConfiguration)
        #expect(error?.message.contains("p.json") == true)
    }

    @Test func damagedPoliciesNeverCrash() {
        Fuzzing.run(rounds: 300, seed: 41) { generator in
            _ = try? Policy.read(Fuzzing.mutated(Array(GovernanceTests.policies.utf8), &generator), name: "fuzzed")
        }
    }
}
