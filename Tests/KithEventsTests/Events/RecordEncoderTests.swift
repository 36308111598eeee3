import KithCore
import KithEvents
import Testing

/// All records of a commit, over all topics.
@Suite struct RecordEncoderTests {
    private struct Record: Equatable {
        var topic: EventTopic
        var key: String
        var id: String
        var type: String
        var value: [UInt8]
    }

    private let feed = MemoryChangeFeed(shard: ShardID(collection: 7, shard: 2))

    private func definition(_ change: (inout EventStreams) -> Void) -> CollectionDefinition {
        var definition = sampleDefinition()
        change(&definition.events)
        return definition
    }

    private func records(
        _ position: LogPosition, from first: Int = 0, of definition: CollectionDefinition, audit: Bool = false,
        maximumBytes: Int = EventOptions.defaultMaximumBytes, feed: MemoryChangeFeed? = nil
    ) throws -> [Record] {
        let feed = feed ?? self.feed
        var options = EventOptions()
        options.auditsCommits = audit
        options.maximumBytes = maximumBytes
        let encoder = RecordEncoder(cluster: "c", options: options)
        var records: [Record] = []
        try encoder.encode(try feed.row(at: position), from: first, of: definition, feed: feed) { (event) throws(KithError) in
            let headers = Dictionary(uniqueKeysWithValues: event.headers.map { ("\($0.name)", $0.value.text) })
            #expect(event.index == first + records.count)
            #expect(headers["ce_partitionkey"] == event.key.text && headers["ce_specversion"] == "1.0")
            records.append(
                Record(
                    topic: event.topic, key: event.key.text, id: headers["ce_id"] ?? "", type: headers["ce_type"] ?? "",
                    value: event.value.array))
            return true
        }
        let count = encoder.count(try feed.row(at: position), of: definition)
        #expect(first + records.count == count)
        return records
    }

    private func changes() -> LogPosition {
        feed.commit(
            [
                creation(1),
                Change(
                    operation: .update, id: .number(2), before: sampleImage(version: 3), after: sampleImage(version: 5)),
                Change(operation: .delete, id: .number(3), before: sampleImage(version: 4), after: nil),
            ], requestID: "r", firstVersion: 4)
    }

    @Test func everyTopicInItsPlace() throws {
        let all = definition {
            $0.state = true
            $0.transactions = true
        }
        let position = changes()
        let records = try records(position, of: all, audit: true)
        #expect(
            records.map(\.topic) == [
                .transactions, .changes, .state, .changes, .state, .changes, .state, .transactions, .audit,
            ])
        #expect(records.map(\.key) == ["c/7.2/1", "1", "1", "2", "2", "3", "3", "c/7.2/1", ""])
        #expect(
            records.map(\.id) == [
                "c/7.2/1/begin", "c/7.2/1/0", "c/7.2/1/0/state", "c/7.2/1/1", "c/7.2/1/1/state", "c/7.2/1/2",
                "c/7.2/1/2/state", "c/7.2/1/end", "c/7.2/1/audit",
            ])
        #expect(records[6].value.isEmpty, "a deleted point leaves a tombstone")
        #expect(json(records[2].value, as: "kith.v1.PointImage")?.contains(#""payloadJson":"{\"word\":\"kith\"}""#) == true)
        #expect(
            json(records[7].value, as: "kith.v1.TransactionEvent")
                == #"{"status":"END","id":"c/7.2/1","eventCount":"3","dataCollections":[{"dataCollection":"words","eventCount":"3"}],"#
                + #""tsUs":"1700000000000000","requestId":"r"}"#)
        #expect(
            json(records[8].value, as: "kith.v1.AuditEvent")
                == #"{"id":"c/7.2/1/audit","tsUs":"1700000000000000","cluster":"c","kind":"AUDIT_KIND_WRITE","#
                + #""resource":"collections/words","collectionId":7,"outcome":"AUDIT_OUTCOME_SUCCEEDED","code":"OK","requestId":"r","#
                + #""counts":{"created":"1","updated":"1","deleted":"1"},"positions":[{"shard":2,"position":"1"}]}"#)
        #expect(
            json(records[3].value)?.contains(#""transaction":{"id":"c/7.2/1","totalOrder":"2","dataCollectionOrder":"2"}"#)
                == true)
        // Whoever stopped anywhere goes on with the same records.
        for first in 1...records.count {
            #expect(try self.records(position, from: first, of: all, audit: true) == Array(records[first...]))
        }
    }

    @Test func aSingleChangeIsNotFramed() throws {
        let position = feed.commit([creation(1)])
        #expect(try records(position, of: definition { $0.transactions = true }).map(\.topic) == [.changes])
    }

    @Test func whatIsTooLargeLeavesAClaimCheck() throws {
        let text = OwnedBytes(Array("{\"text\":\"\(String(repeating: "x", count: 5_000))\"}".utf8))
        let image = PointImage(version: 9, vectors: [], payload: text.view)
        let position = feed.commit([Change(operation: .create, id: .number(1), before: nil, after: image), creation(2)])
        let state = definition { $0.state = true }
        let whole = try records(position, of: state)
        let cut = try records(position, of: state, maximumBytes: 2_000)
        #expect(cut.map(\.id) == whole.map(\.id), "nothing is dropped")
        #expect(cut[2...] == whole[2...], "small events stay whole")
        let claim = try #require(json(cut[0].value))
        #expect(claim.contains(#""after":{"id":{"number":"1"},"version":"9"}"#))
        #expect(claim.contains(#""claimCheck":{"eventId":"c/7.2/1/0","bytes":"\#(whole[0].value.count)"}"#))
        #expect(json(cut[1].value, as: "kith.v1.PointImage") == #"{"id":{"number":"1"},"version":"9"}"#)
        #expect(cut[0].value.count < 2_000)
    }

    @Test func aRegistryFrameStandsBeforeTheMessage() throws {
        let position = feed.commit([creation(1)])
        var framed = definition {
            $0.state = true
            $0.changeSchemaID = 258
            $0.stateSchemaID = 7
        }
        let plain = try records(position, of: definition { $0.state = true })
        for encoding in [EventEncoding.protobuf, .json] {
            framed.eventEncoding = encoding
            let records = try records(position, of: framed)
            #expect(Array(records[0].value.prefix(5)) == [0, 0, 0, 1, 2])
            #expect(Array(records[1].value.prefix(5)) == [0, 0, 0, 0, 7])
            if encoding == .protobuf {
                // One index, zigzag; then the place of the message in events.proto.
                #expect(records[0].value[5] == 2 && records[0].value[6] % 2 == 0)
                #expect(Array(records[0].value.dropFirst(7)) == plain[0].value)
                #expect(Array(records[1].value.dropFirst(7)) == plain[1].value)
            } else {
                #expect(String(decoding: records[0].value.dropFirst(5), as: UTF8.self) == json(plain[0].value))
            }
        }
    }

    @Test func factsOfTheNodesLog() throws {
        let log = MemoryChangeFeed(shard: .nodeLog)
        let body = try message(
            "kith.v1.CatalogueEvent",
            json:
                #"{"op":"CHANGE_OPERATION_CREATE","kind":"RESOURCE_KIND_ALIAS","resource":"aliases/a","after":{"alias":{"name":"a"}}}"#
        )
        let audit = try message("kith.v1.AuditEvent", json: #"{"tsUs":"5","kind":"AUDIT_KIND_READ","code":"NOT_FOUND"}"#)
        let facts = [
            Fact(.catalogue, type: "io.kith.catalogue.alias.created.v1", key: "aliases/a", subject: "aliases/a", body: body),
            Fact(.audit, type: "io.kith.audit.recorded.v1", key: "alice", subject: "collections/x", body: audit),
        ]
        let position = log.commit([], facts: facts)
        let records = try records(position, of: CollectionDefinition(name: "", spaces: []), audit: true, feed: log)
        #expect(records.map(\.topic) == [.catalogue, .audit] && records.map(\.key) == ["aliases/a", "alice"])
        #expect(records.map(\.id) == ["c/0.0/1/0", "c/0.0/1/1"])
        #expect(
            json(records[0].value, as: "kith.v1.CatalogueEvent")
                == #"{"id":"c/0.0/1/0","op":"CHANGE_OPERATION_CREATE","kind":"RESOURCE_KIND_ALIAS","resource":"aliases/a","#
                + #""after":{"alias":{"name":"a"}},"source":{"cluster":"c","position":"1","count":2,"tsUs":"1700000000000000"}}"#)
        #expect(
            json(records[1].value, as: "kith.v1.AuditEvent")
                == #"{"id":"c/0.0/1/1","tsUs":"5","cluster":"c","kind":"AUDIT_KIND_READ","code":"NOT_FOUND"}"#)
    }
}
