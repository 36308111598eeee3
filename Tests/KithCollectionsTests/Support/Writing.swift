import KithCollections
import KithCore

/// Operations in the making, with the bytes they view.
final class WriteRequest: @unchecked Sendable {
    private(set) var operations: [Operation] = []
    private var owned: [OwnedBytes] = []

    func view(_ bytes: some Swift.Collection<UInt8>) -> ByteView {
        owned.append(OwnedBytes(bytes))
        return owned[owned.count - 1].view
    }

    func view(_ vector: [Float]) -> ByteView { view(vector.withUnsafeBytes { Array($0) }) }

    func add(_ id: PointID, _ action: Operation.Action, ifVersion: UInt64? = nil) {
        operations.append(Operation(id: id, action: action, ifVersion: ifVersion))
    }

    /// Puts a point with a vector in the only space.
    @discardableResult
    func upsert(_ id: UInt64, _ vector: [Float], payload: String = "", mode: WriteMode = .upsert) -> WriteRequest {
        add(
            .number(id),
            .upsert(mode, payload: view(payload.utf8), vectors: [VectorWrite(space: 0, bytes: view(vector))]))
        return self
    }

    @discardableResult
    func delete(_ id: UInt64) -> WriteRequest {
        add(.number(id), .delete)
        return self
    }

    var byteCount: Int { owned.reduce(0) { $0 + $1.view.count } }
}

extension KithCollections.Collection {
    func write(
        _ request: WriteRequest, requestID: String = "", durability: Durability? = nil,
        _ reply: @escaping @Sendable (Result<WriteResult, KithError>) -> Void
    ) {
        write(
            request.operations, requestID: requestID, durability: durability, byteCount: request.byteCount, owner: request,
            reply: reply)
    }

    @discardableResult
    func commit(
        _ request: WriteRequest, requestID: String = "", durability: Durability? = nil
    ) async throws -> WriteResult {
        try await withCheckedContinuation { continuation in
            write(request, requestID: requestID, durability: durability) { continuation.resume(returning: $0) }
        }.get()
    }

    /// The nearest points to a vector of the only space.
    func nearest(
        _ vector: [Float], _ topK: Int, space: Int = 0, _ change: (inout VectorSearch) -> Void = { _ in }
    ) throws -> SearchResult {
        let bytes = OwnedBytes(vector.withUnsafeBytes { Array($0) })
        var search = VectorSearch(space: space, query: .vector(bytes.view), topK: topK)
        change(&search)
        return try withExtendedLifetime(bytes) { try self.search(search) { false } }
    }

    /// All points, by pages of a few, with everything they have.
    func everything(pages: Int = 7) throws -> [PointID: StoredPoint] {
        var found: [PointID: StoredPoint] = [:]
        let selection = PointSelection(payload: true, spaces: Array(definition.spaces.indices))
        var cursor: ScrollCursor? = ScrollCursor()
        while let from = cursor {
            let page = try scroll(from: from, limit: pages, selection)
            for point in page.points { found[point.id] = point }
            cursor = page.next
        }
        return found
    }
}

extension Node {
    static func open(_ path: String, _ change: (inout Configuration) -> Void = { _ in }) throws -> Node {
        var configuration = Configuration(dataDirectory: path)
        configuration.linkThreads = 1
        configuration.blockCacheBytes = 8 << 20
        change(&configuration)
        return try Node(configuration)
    }

    /// Makes a collection of one space, four floats compared by squared distance.
    func make(
        _ name: String, kind: String = "flat", dimension: Int = 4, _ change: (inout CollectionDefinition) -> Void = { _ in }
    ) throws -> KithCollections.Collection {
        let space = VectorSpace(name: "", dimension: dimension, metric: .l2, index: IndexDefinition(kind: kind))
        var definition = CollectionDefinition(name: name, spaces: [space])
        change(&definition)
        _ = try catalogue.create(definition)
        return try catalogue.collection(name)
    }
}
