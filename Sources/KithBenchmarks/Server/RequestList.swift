import CGRPCShim
import KithCore

/// Requests encoded beforehand, so that sending them costs little.
final class RequestList: @unchecked Sendable {
    let method: String
    private var buffers: [OpaquePointer] = []
    private(set) var views: [KithBytes] = []

    init(method: String) { self.method = method }

    deinit { for buffer in buffers { kith_buffer_free(buffer) } }

    var byteCount: Int { views.reduce(0) { $0 + $1.size } }

    private func append(_ buffer: OpaquePointer?) throws(KithError) {
        guard let buffer else { throw .failed("there is no memory for the requests") }
        buffers.append(buffer)
        views.append(kith_buffer_bytes(buffer))
    }

    /// A search a query.
    static func searches(_ queries: VectorSet, effort: Int = 0) throws(KithError) -> RequestList {
        let list = RequestList(method: "/kith.v1.SearchService/Search")
        let name = OwnedBytes(ServedCollection.name.utf8)
        defer { withExtendedLifetime(name) {} }
        for query in 0..<queries.count {
            var view = search(queries, query, effort, in: name)
            try list.append(kith_encode_search_request(&view))
        }
        return list
    }

    /// So many queries a call; those that fill no call are left out.
    static func searchBatches(_ queries: VectorSet, effort: Int, batch: Int) throws(KithError) -> RequestList {
        let list = RequestList(method: "/kith.v1.SearchService/SearchBatch")
        let name = OwnedBytes(ServedCollection.name.utf8)
        defer { withExtendedLifetime(name) {} }
        for first in stride(from: 0, through: queries.count - batch, by: batch) {
            let views = (first..<first + batch).map { search(queries, $0, effort, in: name) }
            try list.append(kith_encode_search_batch_request(views, views.count))
        }
        return list
    }

    private static func search(_ queries: VectorSet, _ query: Int, _ effort: Int, in name: OwnedBytes) -> KithSearchView {
        var view = KithSearchView()
        view.collection = KithBytes(name.view.bytes)
        view.has_query = true
        view.has_vector = true
        view.vector.data = KithBytes(queries.bytes(query))
        view.top_k = UInt32(Dataset.topK)
        view.effort = UInt32(effort)
        return view
    }

    /// Upserts of the vectors, each with a payload of two fields and some 60 bytes; the point of row n has the id `firstID` + n.
    static func upserts(
        _ vectors: VectorSet, batch: Int, durability: Durability, firstID: Int = 0
    ) throws(KithError) -> RequestList {
        let list = RequestList(method: "/kith.v1.PointService/Upsert")
        let name = OwnedBytes(ServedCollection.name.utf8)
        defer { withExtendedLifetime(name) {} }
        for first in stride(from: 0, to: vectors.count, by: batch) {
            let rows = first..<min(first + batch, vectors.count)
            let payloads = rows.map { OwnedBytes(payload(firstID + $0).utf8) }
            let wireVectors = rows.map { row in
                var view = KithVectorView()
                view.data = KithBytes(vectors.bytes(row))
                return view
            }
            let buffer = wireVectors.withUnsafeBufferPointer { wireVectors in
                let operations = rows.map { row in
                    var view = KithOperationView()
                    view.kind = KITH_OPERATION_UPSERT
                    view.point.id.kind = KITH_ID_NUMBER
                    view.point.id.number = UInt64(firstID + row)
                    view.point.vectors = wireVectors.baseAddress.map { $0 + (row - first) }
                    view.point.vector_count = 1
                    view.point.payload_json = KithBytes(payloads[row - first].view.bytes)
                    return view
                }
                return operations.withUnsafeBufferPointer { operations in
                    var view = KithWriteView()
                    view.collection = KithBytes(name.view.bytes)
                    view.durability = Int32(durability.rawValue)
                    view.operations = operations.baseAddress
                    view.operation_count = operations.count
                    return kith_encode_write_request(KITH_WRITE_UPSERT, &view)
                }
            }
            withExtendedLifetime(payloads) {}
            try list.append(buffer)
        }
        return list
    }

    private static func payload(_ id: Int) -> String {
        let digits = String(id)
        let number = String(repeating: "0", count: max(0, 8 - digits.count)) + digits
        return #"{"title":"benchmark point \#(number)","category":"category-\#(id % 900 + 100)"}"#
    }
}

extension KithBytes {
    /// Borrowed: good while the owner lives.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.init(data: bytes.bindMemory(to: UInt8.self).baseAddress, size: bytes.count)
    }
}
