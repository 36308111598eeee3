import Dispatch
public import KithCore
import KithIndex
import KithStorage
import KithTelemetry

/// Which parts of points are wanted.
public struct PointSelection: Sendable {
    public var payload: Bool
    /// Spaces whose vectors are wanted.
    public var spaces: [Int]

    public init(payload: Bool = false, spaces: [Int] = []) {
        self.payload = payload
        self.spaces = spaces
    }

    var isEmpty: Bool { !payload && spaces.isEmpty }
}

/// A search of one space.
public struct VectorSearch: Sendable {
    public enum Query: Sendable {
        /// In the space's element type, checked.
        case vector(ByteView)
        /// The vector of this point, which is left out of the results.
        case point(PointID)
    }

    public var space: Int
    public var query: Query
    public var topK: Int
    public var effort: Int?
    public var exact = false
    public var indexedOnly = false
    public var scoreThreshold: Float?
    public var selection = PointSelection()

    public init(space: Int, query: Query, topK: Int) {
        self.space = space
        self.query = query
        self.topK = topK
    }
}

/// A point found or read. Bytes are borrowed from `StoredPoint.owner` and from the collection's segments.
public struct StoredPoint: Sendable {
    public var id: PointID
    public var version: UInt64
    public var payload: ByteView
    /// Space and bytes.
    public var vectors: [(space: Int, bytes: ByteView)]
    /// 0 but in search results.
    public var score: Float
    var owner: OwnedBytes?
}

/// What a search found.
public struct SearchResult: Sendable {
    /// Nearest first.
    public var points: [StoredPoint]
    /// Vectors left out because they are not linked yet.
    public var unindexedLeftOut: Int
}

extension Collection {
    private struct Found {
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
                    indexQuery(search, start, topK: search.topK) { false }, in: shard.current().snapshot(space: search.space))
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

    private func queryVector(of id: PointID, space: Int) throws(KithError) -> UnsafeRawPointer {
        let shard = shards[shardNumber(of: id)]
        guard let row = try shard.row(of: id) else {
            throw KithError(
                .notFound, .pointNotFound, "query.point_id: there is no point \(id)", metadata: ["point_id": "\(id)"],
                violations: [.init(field: "query.point_id", description: "there is no point \(id)")])
        }
        let image = try PointImage(decoding: row.view.bytes)
        guard let vector = image.vectors.first(where: { Int($0.space) == space }) else {
            throw .invalid(
                .unknownVectorSpace, field: "query.point_id",
                "point \(id) has no vector in '\(definition.spaces[space].name)'", metadata: ["point_id": "\(id)"])
        }
        // Segments outlive their shard's readers, and slots are never written twice.
        return UnsafeRawPointer(shard.spaces[space].segments.base + Int(vector.slot) * shard.spaces[space].segments.stride)
    }

    private func indexQuery(
        _ search: VectorSearch, _ vector: UnsafeRawPointer, topK: Int, _ shouldStop: @escaping () -> Bool
    ) -> IndexQuery {
        IndexQuery(
            vector: vector, topK: topK, effort: search.effort, exact: search.exact, indexedOnly: search.indexedOnly,
            shouldStop: shouldStop)
    }

    private func find(
        _ search: VectorSearch, _ vector: UnsafeRawPointer, without excluded: PointID?, _ shouldStop: @escaping () -> Bool
    ) throws(KithError) -> SearchResult {
        let topK = search.topK + (excluded == nil ? 0 : 1)
        var query = indexQuery(search, vector, topK: topK, shouldStop)
        let definition = definition
        var found: [Found] = []
        var leftOut = 0
        for (number, shard) in shards.enumerated() {
            let space = shard.spaces[search.space]
            let snapshot = shard.current().snapshot(space: search.space)
            let tail = space.tail(slotCount: snapshot.slotCount)
            query.indexedOnly =
                search.indexedOnly || (definition.tailPolicy == .indexedOnly && tail > Int(definition.tailVectors))
            // An exact search compares everything, tail or not.
            if query.indexedOnly && !search.exact { leftOut += tail }
            for neighbour in try space.index.search(query, in: snapshot) {
                found.append(Found(neighbour: neighbour, shard: number))
            }
        }
        if shards.count > 1 { found.sort { $0.neighbour.distance < $1.neighbour.distance } }
        return SearchResult(
            points: try points(found, search, excluded, definition.spaces[search.space].metric), unindexedLeftOut: leftOut)
    }

    private func points(
        _ found: [Found], _ search: VectorSearch, _ excluded: PointID?, _ metric: Metric
    ) throws(KithError) -> [StoredPoint] {
        let farthest = search.scoreThreshold.map(metric.distance(score:))
        var points: [StoredPoint] = []
        points.reserveCapacity(min(found.count, search.topK))
        for candidate in found {
            if points.count == search.topK { break }
            if let farthest, candidate.neighbour.distance > farthest { break }
            let shard = shards[candidate.shard]
            let rows = shard.spaces[search.space].rows
            guard let id = rows.id(candidate.neighbour.slot), id != excluded else { continue }
            var point = StoredPoint(
                id: id, version: rows.version(candidate.neighbour.slot), payload: .empty, vectors: [],
                score: metric.score(distance: candidate.neighbour.distance), owner: nil)
            if !search.selection.isEmpty {
                // Deleted since the view was taken: it is gone, and so is its payload.
                guard let row = try shard.row(of: id) else { continue }
                try shard.fill(&point, from: row, search.selection)
            }
            points.append(point)
        }
        return points
    }
}

extension Shard {
    /// The stored row of a point.
    func row(of id: PointID) throws(KithError) -> OwnedBytes? {
        var key = Keys.shard(self.id)
        id.encode(into: &key)
        return try database.withValue(.points, key: key) { OwnedBytes($0) }
    }

    /// Puts the selected parts of a row into `point`.
    func fill(_ point: inout StoredPoint, from row: OwnedBytes, _ selection: PointSelection) throws(KithError) {
        let image = try PointImage(decoding: row.view.bytes)
        point.version = image.version
        point.owner = row
        if selection.payload { point.payload = image.payload }
        for vector in image.vectors where selection.spaces.contains(Int(vector.space)) {
            point.vectors.append((Int(vector.space), spaces[Int(vector.space)].segments.read(vector.slot)))
        }
    }
}
