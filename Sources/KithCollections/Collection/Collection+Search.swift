import Dispatch
public import KithCore
import KithIndex
import KithStorage
import KithTelemetry

extension Collection {
    struct Found {
        var neighbour: Neighbour
        var shard: Int
    }

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
        let definition = definition
        let views = shards.map { $0.current() }
        var found: [Found] = []
        found.reserveCapacity(shards.count * query.topK)
        var leftOut = 0
        for (number, shard) in shards.enumerated() {
            let space = shard.spaces[search.space]
            space.searchRate.note()
            let snapshot = views[number].snapshot(space: search.space)
            let index = space.index
            let tail = MaintainedIndex.tail(of: index, slotCount: snapshot.slotCount)
            query.indexedOnly = leavesOut(tail, search, definition)
            if query.indexedOnly { leftOut += tail }
            let answer = try index.search(query, in: snapshot)
            // A stored vector finds itself, which says nothing.
            if excluded == nil { space.recallMeter.note(query, in: snapshot, answer, by: index) }
            for neighbour in answer { found.append(Found(neighbour: neighbour, shard: number)) }
        }
        return try result(
            found, search, without: excluded, leftOut: leftOut, definition, views, owners(space: search.space))
    }

    /// Whose the slots of each shard are.
    func owners(space: Int) -> [SlotOwners] { shards.map { $0.spaces[space].rows.owners } }

    /// Whether a search passes over vectors that are not linked yet. An exact one compares everything.
    func leavesOut(_ tail: Int, _ search: VectorSearch, _ definition: CollectionDefinition) -> Bool {
        let isTooLong = definition.tailPolicy == .indexedOnly && tail > Int(definition.tailVectors)
        return !search.exact && (search.indexedOnly || isTooLong)
    }

    /// What a search answers of what its shards found.
    func result(
        _ found: [Found], _ search: VectorSearch, without excluded: PointID?, leftOut: Int, _ definition: CollectionDefinition,
        _ views: [ReadView], _ owners: [SlotOwners]
    ) throws(KithError) -> SearchResult {
        var found = found
        // Stable: between equals the smaller shard and slot comes first, every time.
        if shards.count > 1 { found.sort { $0.neighbour.distance < $1.neighbour.distance } }
        var points = try name(found, search, without: excluded, definition.spaces[search.space].metric, owners)
        if !search.selection.isEmpty { try fill(&points, search.selection, views) }
        return SearchResult(points: points, unindexedLeftOut: leftOut)
    }

    /// The points of found slots, at most `topK` and within the threshold.
    private func name(
        _ found: [Found], _ search: VectorSearch, without excluded: PointID?, _ metric: Metric, _ owners: [SlotOwners]
    ) throws(KithError) -> [StoredPoint] {
        var points: [StoredPoint] = []
        points.reserveCapacity(min(found.count, search.topK))
        for candidate in found { owners[candidate.shard].prefetch(candidate.neighbour.slot) }
        let greaterIsNearer = search.scoreTransform?.greaterIsNearer(metric) ?? metric.greaterIsNearer
        for candidate in found {
            var score = metric.score(distance: candidate.neighbour.distance)
            if let transform = search.scoreTransform { score = transform(score) }
            if let threshold = search.scoreThreshold, greaterIsNearer ? score < threshold : score > threshold { break }
            let owners = owners[candidate.shard]
            guard let id = owners.id(candidate.neighbour.slot) else {
                throw KithError(.dataLoss, .corruption, "slot \(candidate.neighbour.slot) belongs to no point")
            }
            if let excluded, id == excluded { continue }
            if points.count == search.topK { break }
            var point = StoredPoint(id: id)
            point.version = owners.version(candidate.neighbour.slot)
            point.score = score
            points.append(point)
        }
        return points
    }

    /// Adds the selected parts, as they were in the views that were searched.
    private func fill(
        _ points: inout [StoredPoint], _ selection: PointSelection, _ views: [ReadView]
    ) throws(KithError) {
        let numbers = points.map { shardNumber(of: $0.id) }
        var budget = AnswerBudget()
        for (number, shard) in shards.enumerated() {
            let places = points.indices.filter { numbers[$0] == number }
            try shard.rows(of: places.map { points[$0].id }, in: views[number]) { index, row throws(KithError) in
                guard let row else {
                    throw KithError(.dataLoss, .corruption, "point \(points[places[index]].id) is indexed, but has no row")
                }
                try shard.fill(&points[places[index]], from: OwnedBytes(row), selection)
                try budget.add(points[places[index]])
            }
        }
    }
}
