import CGRPCShim

/// The requests that are decoded into views, each with an example that has every field.
enum RequestKind: CaseIterable {
    case upsert, batch, delete, updatePayload, updateVectors, search, searchBatch, searchStream, get, upsertStream

    var type: String {
        switch self {
        case .upsert: "kith.v1.UpsertRequest"
        case .batch: "kith.v1.BatchWriteRequest"
        case .delete: "kith.v1.DeleteRequest"
        case .updatePayload: "kith.v1.UpdatePayloadRequest"
        case .updateVectors: "kith.v1.UpdateVectorsRequest"
        case .search: "kith.v1.SearchRequest"
        case .searchBatch: "kith.v1.SearchBatchRequest"
        case .searchStream: "kith.v1.SearchStreamRequest"
        case .get: "kith.v1.GetRequest"
        case .upsertStream: "kith.v1.UpsertStreamRequest"
        }
    }

    var example: String {
        let vector = #"{"space":"text","data":"AACAPwAAAEA=","values":[0.5,-2],"elementType":"ELEMENT_TYPE_FLOAT32"}"#
        let point = #"{"id":{"number":"7"},"vectors":[\#(vector)],"payloadJson":"{\"é\":1}","version":"3"}"#
        let positions = #"[{"shard":1,"position":"99"},{"shard":2,"position":"7"}]"#
        let select = #"{"payload":true,"vectors":true,"vectorSpaces":["text","image"]}"#
        let common = #""collection":"docs","durability":"DURABILITY_DURABLE","requestId":"r-1""#
        let search = #"""
            {"collection":"docs","query":{"vector":\#(vector)},"vectorSpace":"text","topK":10,"parameters":{"effort":64,"exact":true,
            "recallTarget":0.95,"indexedOnly":true},"scoreThreshold":0,"scoreTransform":{"function":"LOGISTIC","scale":-2,"offset":0.5},"select":\#(select),"minPositions":\#(positions)}
            """#
        let operations = #"""
            [{"upsert":{"point":\#(point),"mode":"WRITE_MODE_INSERT_ONLY","ifVersion":"0"}},{"delete":{"id":{"name":"a"},"ifVersion":"4"}},
            {"updatePayload":{"id":{"uuid":"AAECAwQFBgcICQoLDA0ODw=="},"mode":"PAYLOAD_MODE_DELETE_KEYS","payloadJson":"{}","keys":["x","y"]}},
            {"updateVectors":{"id":{"number":"1"},"vectors":[\#(vector)],"removeSpaces":["image"],"ifVersion":"5"}}]
            """#
        switch self {
        case .upsert: return #"{\#(common),"points":[\#(point),\#(point)],"mode":"WRITE_MODE_UPDATE_ONLY","ifVersion":"0"}"#
        case .batch: return #"{\#(common),"operations":\#(operations)}"#
        case .delete: return #"{\#(common),"ids":[{"number":"1"},{"name":"b"}],"ifVersion":"9"}"#
        case .updatePayload:
            return
                #"{\#(common),"ids":[{"number":"1"},{"name":"b"}],"mode":"PAYLOAD_MODE_MERGE","payloadJson":"{\"a\":2}","keys":["k"],"ifVersion":"9"}"#
        case .updateVectors:
            return
                #"{\#(common),"operations":[{"id":{"number":"1"},"vectors":[\#(vector)],"removeSpaces":["image"],"ifVersion":"5"}]}"#
        case .search: return search
        case .searchBatch: return #"{"searches":[\#(search),{"query":{"pointId":{"number":"8"}},"topK":3}],"collection":"all"}"#
        case .searchStream: return #"{"tag":"77","search":\#(search)}"#
        case .get:
            return #"{"collection":"docs","ids":[{"number":"0"},{"name":"b"}],"select":\#(select),"minPositions":\#(positions)}"#
        case .upsertStream:
            return #"{"item":{"sequence":"12","operation":{"upsert":{"point":\#(point),"mode":"WRITE_MODE_UPSERT"}}}}"#
        }
    }

    /// Decodes and frees. Whether the bytes were such a message.
    func decodes(_ bytes: [UInt8]) -> Bool {
        var write = KithWriteView()
        var search = KithSearchView()
        var searches: UnsafePointer<KithSearchView>?
        var count = 0
        var get = KithGetView()
        var stream = KithUpsertStreamView()
        let message = withBytes(bytes) { bytes in
            switch self {
            case .upsert: kith_decode_write(KITH_WRITE_UPSERT, bytes, &write)
            case .batch: kith_decode_write(KITH_WRITE_BATCH, bytes, &write)
            case .delete: kith_decode_write(KITH_WRITE_DELETE, bytes, &write)
            case .updatePayload: kith_decode_write(KITH_WRITE_UPDATE_PAYLOAD, bytes, &write)
            case .updateVectors: kith_decode_write(KITH_WRITE_UPDATE_VECTORS, bytes, &write)
            case .search: kith_decode_search(bytes, &search)
            case .searchBatch: kith_decode_search_batch(bytes, &searches, &count)
            case .searchStream: kith_decode_search_stream(bytes, &search)
            case .get: kith_decode_get(bytes, &get)
            case .upsertStream: kith_decode_upsert_stream(bytes, &stream)
            }
        }
        kith_message_free(message)
        return message != nil
    }
}
