import KithCore
import KithEvents
import Testing

@Suite struct ChangeEventEncoderTests {
    private let feed = MemoryChangeFeed(shard: ShardID(collection: 7, shard: 2))

    /// The events of one commit: key, value and headers.
    private func events(
        _ changes: [Change], time: Int64 = 1_700_000_000_123_456, requestID: String = "r-1",
        definition: CollectionDefinition = sampleDefinition(), vectors: EventVectors? = nil
    ) throws -> [(key: String, value: [UInt8], headers: [String])] {
        let position = feed.commit(changes, time: time, requestID: requestID)
        let encoder = ChangeEventEncoder(cluster: "c1")
        var events: [(String, [UInt8], [String])] = []
        var definition = definition
        if let vectors { definition.eventVectors = vectors }
        try encoder.encode(try feed.row(at: position), of: definition, feed: feed) { (event) throws(KithError) in
            events.append((event.key.text, event.value.array, event.headers.map { "\($0.name): \($0.value.text)" }))
            return true
        }
        return events
    }

    @Test func aCreatedPoint() throws {
        let event = try #require(try events([creation(42)]).first)
        #expect(event.key == "42")
        #expect(
            json(event.value)
                == #"{"id":"c1/7.2/1/0","op":"CHANGE_OPERATION_CREATE","#
                + #""after":{"id":{"number":"42"},"payloadJson":"{\"word\":\"kith\"}","vectors":[{"space":"text","digest":"11"}],"version":"1"},"#
                + #""source":{"cluster":"c1","collection":"words","collectionId":7,"shard":2,"position":"1","count":1,"#
                + #""requestId":"r-1","tsUs":"1700000000123456"},"versionAfter":"1"}"#)
        #expect(
            event.headers == [
                "ce_specversion: 1.0", "ce_id: c1/7.2/1/0", "ce_source: //kith/c1/words",
                "ce_type: io.kith.point.created.v1", "ce_subject: points/42", "ce_time: 2023-11-14T22:13:20.123456Z",
                "ce_partitionkey: 42", "ce_dataschema: urn:kith:schema:kith.v1.ChangeEvent",
                "ce_sequence: 00000000000000000001.00000", "content-type: application/protobuf",
            ])
    }

    @Test func whoAskedAndUnderWhichDefinition() throws {
        let json =
            #"{"actor":{"id":"alice","proof":"PROOF_CLAIMED"},"client":{"name":"etl","version":"2","address":"10.0.0.1:5"},"#
            + #""traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","method":"kith.v1.PointService/Delete"}"#
        var definition = sampleDefinition()
        definition.spaces[0].model = ModelReference(id: "mini", revision: "r7")
        let context = try message("kith.v1.RequestContext", json: json)
        let position = feed.commit(
            [creation(1), Change(operation: .delete, id: .number(2), before: sampleImage(version: 3), after: nil)],
            context: context.view, schemaVersion: 5, firstVersion: 8)
        var values: [String] = []
        try ChangeEventEncoder(cluster: "c1").encode(try feed.row(at: position), of: definition, feed: feed) {
            (event) throws(KithError) in
            values.append(KithEventsTests.json(event.value.bytes) ?? "")
            #expect(event.headers.last?.value.text == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            return true
        }
        let source = #""context":\#(json),"schemaVersion":"5","models":[{"space":"text","id":"mini","revision":"r7"}]}"#
        #expect(values[0].contains(source) && values[0].hasSuffix(#"},"versionAfter":"1"}"#))
        #expect(values[1].contains(source) && values[1].hasSuffix(#"},"versionBefore":"3","versionAfter":"9"}"#))
    }

    @Test func anUpdateNamesWhatChanged() throws {
        let before = sampleImage(version: 1, payload: #"{"a":1,"b":{"c":2},"k\"":3}"#, slots: [1, 2])
        let after = sampleImage(version: 2, payload: #"{"a":1,"b":{"c":3},"d":null}"#, slots: [1, 3])
        let event = try #require(
            try events([Change(operation: .update, id: .string("größe"), before: before, after: after)]).first)
        let text = try #require(json(event.value))
        #expect(text.contains(#""op":"CHANGE_OPERATION_UPDATE","before":{"id":{"name":"größe"}"#))
        #expect(text.contains(#""changedFields":["payload","payload.b","payload.d","payload.k\"","vectors.image"]"#))
        #expect(event.headers.contains("ce_type: io.kith.point.updated.v1"))
        #expect(event.headers.contains("ce_subject: points/größe"))
    }

    @Test func aPayloadThatComesAndGoes() throws {
        let bare = sampleImage(version: 1, payload: "")
        let full = sampleImage(version: 2, payload: #"{"a":1}"#)
        let pairs = [(bare, full), (full, bare)]
        let events = try events(pairs.map { Change(operation: .update, id: .number(1), before: $0.0, after: $0.1) })
        for event in events { #expect(json(event.value)?.contains(#""changedFields":["payload","payload.a"]"#) == true) }
        #expect(events.count == 2)
    }

    @Test func aVectorThatComesAndGoes() throws {
        let one = sampleImage(version: 1, slots: [1])
        let two = sampleImage(version: 2, slots: [1, 2])
        for (before, after) in [(one, two), (two, one)] {
            let change = Change(operation: .update, id: .number(1), before: before, after: after)
            let event = try #require(try events([change]).first)
            #expect(json(event.value)?.contains(#""changedFields":["vectors.image"]"#) == true)
        }
    }

    @Test func aDeletionHasNoAfter() throws {
        let id = PointID.uuid(PointID.UUIDBytes(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210))
        let event = try #require(
            try events([Change(operation: .delete, id: id, before: sampleImage(version: 3), after: nil)]).first)
        #expect(event.key == "01234567-89ab-cdef-fedc-ba9876543210")
        #expect(event.key == id.description)
        let text = try #require(json(event.value))
        #expect(text.contains(#""op":"CHANGE_OPERATION_DELETE","before":{"id":{"uuid":"ASNFZ4mrze/+3LqYdlQyEA=="}"#))
        #expect(!text.contains(#""after""#))
        #expect(!text.contains("changedFields"))
    }

    @Test(arguments: [
        (EventVectors.none, #""vectors":[{"space":"text"}]"#),
        (.digest, #""vectors":[{"space":"text","digest":"11"}]"#),
        (.full, #""vectors":[{"space":"text","data":"AQIDBA==","digest":"11"}]"#),
    ])
    func vectorsByPolicy(policy: EventVectors, expected: String) throws {
        feed.setVector([1, 2, 3, 4], slot: 1)
        let byCollection = try events([creation(1)], definition: sampleDefinition(vectors: policy))
        let byCaller = try events([creation(1)], vectors: policy)
        for event in byCollection + byCaller { #expect(json(event.value)?.contains(expected) == true) }
    }

    @Test func jsonByCollection() throws {
        let change = [creation(5)]
        let binary = try #require(try events(change).first)
        let position = feed.lastPosition
        var value = ""
        try ChangeEventEncoder(cluster: "c1").encode(
            try feed.row(at: position), of: sampleDefinition(encoding: .json), feed: feed
        ) { (event) throws(KithError) in
            value = event.value.text
            #expect(event.headers.last?.value.text == "application/json")
            return true
        }
        #expect(value == json(binary.value))
    }

    @Test func eventsOfACommitAreNumbered() throws {
        let many = try events((0..<12).map { creation($0) })
        #expect(many.map { $0.headers[1] } == (0..<12).map { "ce_id: c1/7.2/1/\($0)" })
        #expect(json(many[11].value)?.contains(#""index":11,"count":12"#) == true)

        var seen: [Int] = []
        try ChangeEventEncoder(cluster: "c1").encode(
            try feed.row(at: 1), from: 3, of: sampleDefinition(), feed: feed
        ) { (event) throws(KithError) in
            seen.append(event.index)
            return event.index < 5
        }
        #expect(seen == [3, 4, 5])
    }

    @Test func messagesAreTheSameBytes() throws {
        let single = try events((0..<3).map { creation($0) }, definition: sampleDefinition(encoding: .json))
        let messages = try ChangeEventEncoder(cluster: "c1").messages(
            of: try feed.row(at: 1), definition: sampleDefinition(encoding: .json), feed: feed)
        #expect(messages.count == 3)
        for index in 0..<3 { #expect(json(messages[index]) == String(decoding: single[index].value, as: UTF8.self)) }
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"), (4_107_542_399_999_999, "2100-02-28T23:59:59.999999Z"),
        (1_709_210_096_000_007, "2024-02-29T12:34:56.000007Z"),
    ])
    func times(time: Int64, expected: String) throws {
        let event = try #require(try events([creation(1)], time: time).first)
        #expect(event.headers[5] == "ce_time: \(expected)")
    }

    @Test func aSpaceThatDoesNotExistIsCorruption() throws {
        let change = Change(operation: .create, id: .number(1), before: nil, after: sampleImage(version: 1, slots: [1, 2, 3]))
        let error = #expect(throws: KithError.self) { try events([change]) }
        #expect(error?.reason == .corruption)
    }

    @Test func aRenamedCollectionIsNamedAnew() throws {
        let encoder = ChangeEventEncoder(cluster: "c1")
        feed.commit([creation(1)])
        for (name, revision) in [("old", 1), ("new", 2)] {
            let definition = sampleDefinition(name: name, revision: UInt64(revision))
            let messages = try encoder.messages(of: try feed.row(at: 1), definition: definition, feed: feed)
            #expect(json(messages[0])?.contains(#""collection":"\#(name)""#) == true)
        }
    }
}
