import CGRPCShim
import Testing

@Suite struct DecodeTests {
    @Test(arguments: RequestKind.allCases)
    func completeExamplesDecodeAndTheirTruncationsAgreeWithProtobuf(kind: RequestKind) throws {
        let whole = try #require(serialised(kind.type, kind.example))
        #expect(kind.decodes(whole))
        for length in 0..<whole.count {
            let part = Array(whole[..<length])
            #expect(kind.decodes(part) == (json(kind.type, part) != nil), "\(length) of \(whole.count) bytes")
        }
    }

    @Test func upsertCarriesRequestWideFieldsToEveryOperation() throws {
        let bytes = try #require(serialised(RequestKind.upsert.type, RequestKind.upsert.example))
        var view = KithWriteView()
        let message = withBytes(bytes) { kith_decode_write(KITH_WRITE_UPSERT, $0, &view) }
        defer { kith_message_free(message) }
        try #require(message != nil)
        #expect(view.collection.text == "docs")
        #expect(view.request_id.text == "r-1")
        #expect(view.durability == 2)
        #expect(view.has_request_if_version)
        #expect(view.operation_count == 2)
        for operation in UnsafeBufferPointer(start: view.operations, count: view.operation_count) {
            #expect(operation.kind == KITH_OPERATION_UPSERT)
            #expect(operation.mode == 3)
            #expect(operation.has_if_version)
            #expect(operation.if_version == 0)
            #expect(operation.point.id.kind == KITH_ID_NUMBER)
            #expect(operation.point.id.number == 7)
            #expect(operation.point.payload_json.text == #"{"é":1}"#)
            #expect(operation.point.version == 3)
            let vector = try #require(operation.point.vectors?.pointee)
            #expect(vector.space.text == "text")
            #expect(vector.data.array == [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40])
            #expect(Array(UnsafeBufferPointer(start: vector.values, count: vector.value_count)) == [0.5, -2])
            #expect(vector.element_type == 1)
        }
    }

    @Test func batchKeepsEachKindOfOperation() throws {
        let bytes = try #require(serialised(RequestKind.batch.type, RequestKind.batch.example))
        var view = KithWriteView()
        let message = withBytes(bytes) { kith_decode_write(KITH_WRITE_BATCH, $0, &view) }
        defer { kith_message_free(message) }
        try #require(message != nil)
        let operations = Array(UnsafeBufferPointer(start: view.operations, count: view.operation_count))
        #expect(
            operations.map(\.kind) == [
                KITH_OPERATION_UPSERT, KITH_OPERATION_DELETE, KITH_OPERATION_UPDATE_PAYLOAD, KITH_OPERATION_UPDATE_VECTORS,
            ])
        #expect(operations.map(\.has_if_version) == [true, true, false, true])
        #expect(operations.map(\.if_version) == [0, 4, 0, 5])
        #expect(operations[1].point.id.bytes.text == "a")
        #expect(operations[2].point.id.kind == KITH_ID_UUID)
        #expect(operations[2].point.id.bytes.array == Array(0..<16))
        #expect(UnsafeBufferPointer(start: operations[2].keys, count: operations[2].key_count).map(\.text) == ["x", "y"])
        #expect(UnsafeBufferPointer(start: operations[3].keys, count: operations[3].key_count).map(\.text) == ["image"])
    }

    @Test func payloadUpdateSharesItsPatchAmongAllIDs() throws {
        let bytes = try #require(serialised(RequestKind.updatePayload.type, RequestKind.updatePayload.example))
        var view = KithWriteView()
        let message = withBytes(bytes) { kith_decode_write(KITH_WRITE_UPDATE_PAYLOAD, $0, &view) }
        defer { kith_message_free(message) }
        try #require(message != nil)
        for operation in UnsafeBufferPointer(start: view.operations, count: view.operation_count) {
            #expect(operation.kind == KITH_OPERATION_UPDATE_PAYLOAD)
            #expect(operation.mode == 2)
            #expect(operation.point.payload_json.text == #"{"a":2}"#)
            #expect(operation.keys?.pointee.text == "k")
            #expect(operation.if_version == 9)
        }
    }

    @Test func searchHasAllItsFields() throws {
        let bytes = try #require(serialised(RequestKind.searchStream.type, RequestKind.searchStream.example))
        var view = KithSearchView()
        let message = withBytes(bytes) { kith_decode_search_stream($0, &view) }
        defer { kith_message_free(message) }
        try #require(message != nil)
        #expect(view.tag == 77)
        #expect(view.has_query && view.has_vector && !view.has_point_id)
        #expect(view.vector_space.text == "text")
        #expect(view.top_k == 10)
        #expect(view.effort == 64)
        #expect(view.exact && view.indexed_only)
        #expect(view.recall_target == 0.95)
        #expect(view.has_score_threshold && view.score_threshold == 0)
        #expect(view.has_score_transform && view.score_function == 3 && view.has_score_scale)
        #expect(view.score_scale == -2 && view.score_offset == 0.5)
        #expect(view.select.payload && view.select.vectors)
        #expect(UnsafeBufferPointer(start: view.select.spaces, count: view.select.space_count).map(\.text) == ["text", "image"])
        let positions = UnsafeBufferPointer(start: view.min_positions, count: view.min_position_count)
        #expect(positions.map(\.shard) == [1, 2])
        #expect(positions.map(\.position) == [99, 7])
    }

    @Test func batchOfSearchesSharesItsCollection() throws {
        let bytes = try #require(serialised(RequestKind.searchBatch.type, RequestKind.searchBatch.example))
        var searches: UnsafePointer<KithSearchView>?
        var count = 0
        withBytes(bytes) { bytes in
            let message = kith_decode_search_batch(bytes, &searches, &count)
            defer { kith_message_free(message) }
            #expect(UnsafeBufferPointer(start: searches, count: count).map(\.collection.text) == ["docs", "all"])
            #expect(searches?[1].has_point_id == true)
            #expect(searches?[1].point_id.number == 8)
        }
    }

    @Test func laterMembersOfAOneofReplaceAndRepeatedOnesMerge() throws {
        // {vector: {space: "a"}}, {vector: {element_type: 2}}, then {point_id: {number: 5}}: the last member wins.
        let vectors: [UInt8] = [0x0A, 0x03, 0x0A, 0x01, 0x61, 0x0A, 0x02, 0x20, 0x02]
        let id: [UInt8] = [0x12, 0x02, 0x08, 0x05]
        for (query, hasVector) in [(vectors, true), (vectors + id, false)] {
            var view = KithSearchView()
            let bytes = [0x12, UInt8(query.count)] + query
            let message = withBytes(bytes) { kith_decode_search($0, &view) }
            defer { kith_message_free(message) }
            #expect(view.has_vector == hasVector)
            #expect(view.has_point_id == !hasVector)
            #expect(view.vector.space.text == (hasVector ? "a" : ""))
            #expect(view.vector.element_type == (hasVector ? 2 : 0))
        }
    }

    @Test func floatsMayComeOneByOneAndInPieces() throws {
        let one: [UInt8] = [0x1D, 0, 0, 0x80, 0x3F]
        let packed: [UInt8] = [0x1A, 0x08, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40]
        let vector = one + packed + one
        let bytes: [UInt8] = [0x12, UInt8(vector.count + 2), 0x0A, UInt8(vector.count)] + vector
        var view = KithSearchView()
        let message = withBytes(bytes) { kith_decode_search($0, &view) }
        defer { kith_message_free(message) }
        #expect(Array(UnsafeBufferPointer(start: view.vector.values, count: view.vector.value_count)) == [1, 2, 3, 1])
    }

    @Test func textThatIsNotUTF8IsRefused() {
        #expect(!RequestKind.get.decodes([0x0A, 0x02, 0xC3, 0x28]))
        #expect(RequestKind.get.decodes([0x0A, 0x02, 0xC3, 0xA9]))
    }

    @Test func largeMessagesOutgrowThePooledBlock() throws {
        let memory = ViewMemory()
        let data = memory.bytes([UInt8](repeating: 7, count: 1536))
        let vectors = memory.array([KithVectorView(space: KithBytes(), data: data, values: nil, value_count: 0, element_type: 1)])
        var operation = KithOperationView()
        operation.kind = KITH_OPERATION_UPSERT
        operation.point.vectors = vectors
        operation.point.vector_count = 1
        let operations = (0..<2_000).map { number in
            operation.point.id = KithPointIDView(kind: KITH_ID_NUMBER, number: UInt64(number), bytes: KithBytes())
            return operation
        }
        var request = KithWriteView()
        request.operations = memory.array(operations)
        request.operation_count = operations.count
        let bytes = try #require(take(kith_encode_write_request(KITH_WRITE_UPSERT, &request)))
        for _ in 0..<3 {
            var view = KithWriteView()
            let message = withBytes(bytes) { kith_decode_write(KITH_WRITE_UPSERT, $0, &view) }
            defer { kith_message_free(message) }
            try #require(view.operation_count == operations.count)
            #expect((0..<operations.count).allSatisfy { view.operations?[$0].point.id.number == UInt64($0) })
            #expect(view.operations?[1_999].point.vectors?.pointee.data.array == data.array)
        }
    }
}
