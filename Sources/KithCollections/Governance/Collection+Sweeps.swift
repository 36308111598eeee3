import Dispatch
import KithCore
import Synchronization

extension Collection {
    /// Visits all points with their payloads, by pages; what is written meanwhile may be seen or not.
    ///
    /// - Parameter visit: gets a page, and answers whether there is to be another.
    func forEachPage(_ visit: ([StoredPoint]) throws(KithError) -> Bool) throws(KithError) {
        var cursor: ScrollCursor? = ScrollCursor()
        while let from = cursor {
            let page = try scroll(from: from, limit: Limits.pageSize, PointSelection(payload: true))
            guard try visit(page.points) else { return }
            cursor = page.next
        }
    }

    /// Ids of the points whose payload has a value at a path.
    ///
    /// - Complexity: O(points of the collection).
    func points(with value: String, at path: String, limit: Int) throws(KithError) -> [PointID] {
        var found: [PointID] = []
        try forEachPage { (points) throws(KithError) in
            found += points.filter { PayloadMatch.has($0.payload, path: path, value: value) }.map(\.id)
            return found.count <= limit
        }
        return found
    }

    /// Deletes points; returns when that is durable. Blocks.
    ///
    /// - Parameter points: each with the version that it must still have, where one is given.
    func delete(
        _ points: [(id: PointID, ifVersion: UInt64?)], requestID: String = "", purpose: WritePurpose = .request,
        context: OwnedBytes?
    ) throws(KithError) -> WriteResult {
        let operations = points.map { Operation(id: $0.id, action: .delete, ifVersion: $0.ifVersion) }
        let answer = Mutex(Result<WriteResult, KithError>?.none)
        let done = DispatchSemaphore(value: 0)
        write(
            operations, requestID: requestID, context: context, purpose: purpose, durability: .durable, byteCount: 0, owner: self
        ) { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        guard let result = answer.withLock({ $0 }) else { return WriteResult(outcomes: [], positions: [], replayed: false) }
        return try result.get()
    }
}
