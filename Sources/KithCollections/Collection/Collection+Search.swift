import Dispatch
public import KithCore
import KithIndex
import KithStorage
import KithTelemetry

extension Collection {
    /// Rows a search is expected to compare, over all shards: tells where to run it.
    public func expectedComparisons(_ search: VectorSearch) -> Int {
        var total = 0
        for shard in shards {
            // The query's bytes do not matter for the estimate.
            withUnsafeBytes(of: 0) { none in
                guard let start = none.baseAddress else { return }
                total += shard.spaces[search.space].index.expectedComparisons(
                    indexQuery(search, start, without: nil) { false }, in: shard.current().snapshot(space: search.space))
            }
        }
        return total
    }

    /// The nearest points, seeing every write acknowledged before the call. Takes no lock but to retain the view.
    ///
    /// - Parameter shouldStop: asked now and then; true ends the search with `CANCELLED`.
    public func search(_ search: VectorSearch, shouldStop: @escaping () -> Bool) throws(KithError) -> SearchResult {
        let start = DispatchTime.now().uptimeNanoseconds
        metrics.searches.add()
        defer { metrics.searchDuration.record(nanoseconds: DispatchTime.now().uptimeNanoseconds - start) }
        switch search.query {
        case .vector(let vector):
            guard let address = vector.bytes.baseAddress else { return SearchResult(points: [], unindexedLeftOut: 0) }
            return try find(search, address, without: nil, shouldStop)
        case .point(let id):
            let vector = try queryVector(of: id, space: search.space)
            return try find(search, vector, without: id, shouldStop)
        }
    }

    func queryVector(of id: PointID, space: Int) throws(KithError) -> UnsafeRawPointer {
        let shard = shards[shardNumber(of: id)]
        var slot: UInt32?
        try shard.rows(of: [id], in: shard.current()) { _, row throws(KithError) in
            guard let row else {
                throw KithError(
                    .notFound, .pointNotFound, "query.point_id: there is no point \(id)", metadata: ["point_id": "\(id)"],
                    violations: [.init(field: "query.point_id", description: "there is no point \(id)")])
            }
            slot = try PointImage(decoding: row).vectors.first { Int($0.space) == space }?.slot
        }
        guard let slot else {
            throw .invalid(
                .unknownVectorSpace, field: "query.point_id",
                "point \(id) has no vector in '\(definition.spaces[space].name)'", metadata: ["point_id": "\(id)"])
        }
        // Segments outlive their shard's readers, and slots are never written twice.
        return UnsafeRawPointer(shard.spaces[space].segments.base + Int(slot) * shard.spaces[space].segments.stride)
    }

    func indexQuery(
        _ search: VectorSearch, _ vector: UnsafeRawPointer, without excluded: PointID?, _ shouldStop: @escaping () -> Bool
    ) -> IndexQuery {
        // A point's own vector finds it, and makes room for one more.
        IndexQuery(
            vector: vector, topK: search.topK + (excluded == nil ? 0 : 1), effort: search.effort,
            recallTarget: search.recallTarget, exact: search.exact, indexedOnly: search.indexedOnly, shouldStop: shouldStop)
    }

    private func find(
        _ search: VectorSearch, _ vector: UnsafeRawPointer, without excluded: PointID?, _ shouldStop: @escaping () -> Bool
    ) throws(KithError) -> SearchResult {
        var query = indexQuery(search, vector, without: excluded, shouldStop)
        let view = SpaceView(self, space: search.space)
        var found: [Found] = []
        found.reserveCapacity(shards.count * query.topK)
        var leftOut = 0
        for (number, shard) in shards.enumerated() {
            let space = shard.spaces[search.space]
            space.searchRate.note()
            let snapshot = view.snapshot(shard: number)
            let index = space.index
            let tail = MaintainedIndex.tail(of: index, slotCount: snapshot.slotCount)
            query.indexedOnly = leavesOut(tail, search, view.definition)
            if query.indexedOnly { leftOut += tail }
            let answer = try index.search(query, in: snapshot)
            // A stored vector finds itself, which says nothing.
            if excluded == nil { space.recallMeter.note(query, in: snapshot, answer, by: index) }
            view.prefetch(answer, shard: number)
            for neighbour in answer { found.append(Found(neighbour: neighbour, shard: number)) }
        }
        var points: [StoredPoint] = []
        points.reserveCapacity(min(found.count, search.topK))
        try view.append(&found, of: search, without: excluded, to: &points)
        return SearchResult(points: points, unindexedLeftOut: leftOut)
    }

    /// Whether a search passes over vectors that are not linked yet. An exact one compares everything.
    func leavesOut(_ tail: Int, _ search: VectorSearch, _ definition: CollectionDefinition) -> Bool {
        let isTooLong = definition.tailPolicy == .indexedOnly && tail > Int(definition.tailVectors)
        return !search.exact && (search.indexedOnly || isTooLong)
    }
}
