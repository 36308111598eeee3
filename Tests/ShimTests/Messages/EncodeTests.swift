import CGRPCShim
import Testing

@Suite struct EncodeTests {
    let memory = ViewMemory()

    private func number(_ number: UInt64) -> KithPointIDView {
        KithPointIDView(kind: KITH_ID_NUMBER, number: number, bytes: KithBytes())
    }

    private var positions: UnsafePointer<KithShardPosition> {
        memory.array([KithShardPosition(shard: 0, position: 300), KithShardPosition(shard: 5, position: UInt64.max)])
    }

    private let positionsJSON = #"[{"position":"300"},{"shard":5,"position":"18446744073709551615"}]"#

    private var point: KithPointView {
        var point = KithPointView()
        point.id = KithPointIDView(kind: KITH_ID_NAME, number: 0, bytes: memory.text("ä"))
        let values = memory.array([Float(1), -0.0])
        let vector = KithVectorView(
            space: memory.text("text"), data: memory.bytes([1, 2, 3]), values: values, value_count: 2, element_type: 4)
        point.vectors = memory.array([vector])
        point.vector_count = 1
        point.payload_json = memory.text("{}")
        point.version = 128
        point.score = 0.5
        return point
    }

    private let vectorsJSON = #"[{"space":"text","data":"AQID","values":[1,-0],"elementType":"ELEMENT_TYPE_INT8"}]"#
    private var pointJSON: String { #"{"id":{"name":"ä"},"vectors":\#(vectorsJSON),"payloadJson":"{}","version":"128"}"# }

    @Test func writeResponse() {
        let outcomes = [
            KithOutcomeView(result: 1, version: 9, error: KithBytes()),
            KithOutcomeView(result: 5, version: 0, error: memory.text("VERSION_MISMATCH")),
        ]
        let bytes = take(kith_encode_write_response(outcomes, outcomes.count, positions, 2, true))
        #expect(
            json("kith.v1.WriteResponse", bytes)
                == #"{"outcomes":[{"result":"RESULT_CREATED","version":"9"},{"result":"RESULT_FAILED","error":"VERSION_MISMATCH"}],"positions":\#(positionsJSON),"replayed":true}"#
        )
    }

    @Test func searchResponses() {
        var found = KithSearchOutcomeView()
        found.results = memory.array([point])
        found.result_count = 1
        found.unindexed_left_out = 4
        found.tag = 77
        let response =
            #"{"results":[{"id":{"name":"ä"},"score":0.5,"version":"128","payloadJson":"{}","vectors":\#(vectorsJSON)}],"unindexedLeftOut":"4"}"#
        #expect(json("kith.v1.SearchResponse", take(kith_encode_search_response(&found))) == response)
        #expect(
            json("kith.v1.SearchStreamResponse", take(kith_encode_search_stream_response(&found)))
                == #"{"tag":"77","outcome":{"response":\#(response)}}"#)

        var failed = KithSearchOutcomeView()
        failed.code = 5
        let outcomes = [found, failed, KithSearchOutcomeView()]
        #expect(
            json("kith.v1.SearchBatchResponse", take(kith_encode_search_batch_response(outcomes, outcomes.count)))
                == #"{"outcomes":[{"response":\#(response)},{"status":{"code":5}},{"response":{}}]}"#)
        let first = take(kith_encode_search_batch_response(outcomes, 1)) ?? []
        let rest = take(kith_encode_search_batch_response(Array(outcomes.dropFirst()), 2)) ?? []
        let joined = withBytes(first) { first in withBytes(rest) { take(kith_encode_joined([first, $0], 2)) } }
        #expect(joined == take(kith_encode_search_batch_response(outcomes, outcomes.count)))
        #expect(take(kith_encode_search_response(&failed)) == [])
    }

    @Test func reads() {
        let missing = [number(0), number(1)]
        #expect(
            json("kith.v1.GetResponse", take(kith_encode_get_response([point], 1, missing, 2)))
                == #"{"points":[\#(pointJSON)],"missing":[{"number":"0"},{"number":"1"}]}"#)
        #expect(
            json("kith.v1.ScrollResponse", take(kith_encode_scroll_response([point], 1, memory.text("next"))))
                == #"{"points":[\#(pointJSON)],"nextPageToken":"next"}"#)
        #expect(
            json("kith.v1.ExportResponse", take(kith_encode_export_response([point], 1, positions, 2)))
                == #"{"points":[\#(pointJSON)],"positions":\#(positionsJSON)}"#)
    }

    @Test func streamAnswersComeBack() {
        let status = take(
            kith_encode_status(5, memory.text("no"), memory.text("R"), memory.text("kith.v1"), nil, 0, nil, 0, 0))
        let answers: [(OpaquePointer?, KithStreamAnswerKind, UInt32, UInt64, UInt64, [UInt8])] = [
            (kith_encode_stream_opened(16, 3), KITH_ANSWER_OPENED, 16, 0, 3, []),
            (kith_encode_stream_ack(4, 9, positions, 2), KITH_ANSWER_ACK, 0, 4, 9, []),
            (kith_encode_stream_item_error(6, memory.bytes(status ?? [])), KITH_ANSWER_ITEM_ERROR, 0, 6, 6, status ?? []),
            (kith_encode_stream_credit(8), KITH_ANSWER_CREDIT, 8, 0, 0, []),
            (kith_encode_stream_go_away(memory.text("bye"), 11), KITH_ANSWER_GO_AWAY, 0, 0, 11, Array("bye".utf8)),
        ]
        for (buffer, kind, credit, from, to, text) in answers {
            var view = KithStreamAnswerView()
            let message = withBytes(take(buffer) ?? []) { kith_decode_upsert_stream_response($0, &view) }
            defer { kith_message_free(message) }
            #expect(view.kind == kind)
            #expect(view.credit == credit)
            #expect(view.sequence_from == from)
            #expect(view.sequence_to == to)
            #expect(view.text.array == text)
        }
    }

    @Test func changeEventsAndTheStreamThatCarriesThem() {
        var event = KithChangeEventView()
        event.id = memory.text("c/1.0/5/0")
        event.op = 2
        event.before.present = true
        event.after = KithPointImageView(
            present: true, id: number(1), payload_json: memory.text("{}"),
            vectors: memory.array([KithVectorImageView(space: memory.text("t"), data: KithBytes(), digest: 1)]), vector_count: 1,
            version: 2)
        event.changed_fields = memory.array([memory.text("payload.a")])
        event.changed_field_count = 1
        event.cluster = memory.text("c")
        event.position = 5
        event.ts_us = -1
        let eventJSON =
            #"{"id":"c/1.0/5/0","op":"CHANGE_OPERATION_UPDATE","before":{},"after":{"id":{"number":"1"},"payloadJson":"{}","vectors":[{"space":"t","digest":"1"}],"version":"2"},"changedFields":["payload.a"],"source":{"cluster":"c","position":"5","tsUs":"-1"}}"#
        let bytes = take(kith_encode_change_event(&event))
        #expect(json("kith.v1.ChangeEvent", bytes) == eventJSON)

        let events = [memory.bytes(bytes ?? []), memory.bytes(bytes ?? [])]
        #expect(
            json("kith.v1.SubscribeResponse", take(kith_encode_subscribe_response(events, 2, nil, 0)))
                == #"{"events":[\#(eventJSON),\#(eventJSON)]}"#)
        #expect(
            json("kith.v1.SubscribeResponse", take(kith_encode_subscribe_response(nil, 0, positions, 2)))
                == #"{"heartbeat":{"positions":\#(positionsJSON)}}"#)
    }

    @Test func requestsComeBackAsTheyWereDecoded() throws {
        for kind in [RequestKind.upsert, .batch] {
            let bytes = try #require(serialised(kind.type, kind.example))
            let writeKind = kind == .upsert ? KITH_WRITE_UPSERT : KITH_WRITE_BATCH
            var view = KithWriteView()
            let message = withBytes(bytes) { kith_decode_write(writeKind, $0, &view) }
            defer { kith_message_free(message) }
            #expect(json(kind.type, take(kith_encode_write_request(writeKind, &view))) == json(kind.type, bytes))
        }
        let search = try #require(serialised(RequestKind.search.type, RequestKind.search.example))
        var view = KithSearchView()
        let message = withBytes(search) { kith_decode_search($0, &view) }
        defer { kith_message_free(message) }
        #expect(take(kith_encode_search_request(&view)) == search)
    }

    @Test func streamRequestsComeBack() throws {
        let type = RequestKind.upsertStream.type
        let open = #"{"open":{"collection":"docs","streamId":"s","durability":"DURABILITY_ACCEPTED"}}"#
        for text in [RequestKind.upsertStream.example, open, #"{"flush":{}}"#, #"{"close":{}}"#] {
            let bytes = try #require(serialised(type, text))
            var view = KithUpsertStreamView()
            let message = withBytes(bytes) { kith_decode_upsert_stream($0, &view) }
            defer { kith_message_free(message) }
            #expect(take(kith_encode_upsert_stream_request(&view)) == bytes)
        }
    }

    @Test func statusTellsItsDetails() {
        let metadata = [KithPair(key: memory.text("limit"), value: memory.text("10"))]
        let violations = [KithPair(key: memory.text("top_k"), value: memory.text("too large"))]
        let status = take(
            kith_encode_status(
                3, memory.text("bad"), memory.text("TOP_K"), memory.text("kith.v1"), metadata, 1, violations, 1, 1_500))
        #expect(
            withBytes(status ?? []) { takeText(kith_status_to_json($0)) }
                == #"{"code":3,"message":"bad","metadata":{"limit":"10"},"reason":"TOP_K","violations":[{"description":"too large","field":"top_k"}]}"#
        )
        #expect(json("google.rpc.Status", status)?.contains(#""retryDelay":"1.500s""#) == true)
        #expect(withBytes([0xFF]) { kith_status_to_json($0) } == nil)
    }

    @Test func jsonThatDoesNotFitSaysWhy() {
        for (type, text) in [("kith.v1.Collection", #"{"nmae":"a"}"#), ("kith.v1.Collection", "{"), ("kith.v1.Nothing", "{}")] {
            var error: OpaquePointer?
            let buffer = withBytes(Array(text.utf8)) { kith_json_to_message(type, $0, &error) }
            #expect(buffer == nil)
            #expect(takeText(error)?.isEmpty == false)
        }
        #expect(json("kith.v1.CountResponse", [], defaults: true) == #"{"count":"0","exact":false}"#)
        #expect(json("kith.v1.Nothing", []) == nil)
    }
}
