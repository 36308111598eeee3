public import KithCore
public import KithStorage

extension Collection {
    /// Points by id, in the order asked, and the ids that do not exist.
    public func get(_ ids: [PointID], _ selection: PointSelection) throws(KithError) -> (found: [StoredPoint], missing: [PointID])
    {
        let numbers = ids.map(shardNumber(of:))
        var points = [StoredPoint?](repeating: nil, count: ids.count)
        var budget = AnswerBudget()
        for (number, shard) in shards.enumerated() {
            let places = ids.indices.filter { numbers[$0] == number }
            try shard.rows(of: places.map { ids[$0] }, in: shard.current()) { index, row throws(KithError) in
                guard let row else { return }
                var point = StoredPoint(id: ids[places[index]])
                try shard.fill(&point, from: OwnedBytes(row), selection)
                try budget.add(point)
                points[places[index]] = point
            }
        }
        return (points.compactMap { $0 }, ids.indices.filter { points[$0] == nil }.map { ids[$0] })
    }

    /// Living points.
    public var pointCount: UInt64 { shards.reduce(0) { $0 + $1.current().points } }

    /// Where a scroll goes on: after this id of this shard.
    public struct ScrollCursor: Sendable, Hashable {
        public var shard: Int
        public var after: PointID?

        public init(shard: Int = 0, after: PointID? = nil) {
            self.shard = shard
            self.after = after
        }
    }

    /// Up to `limit` points after `cursor`, by shard and id, and where the next page begins; nil after the last.
    ///
    /// - Parameter snapshot: the moment to read at, from `moment()`; nil: now.
    /// - Complexity: O(page); a page of large points ends at `Limits.pageBytes`.
    public func scroll(
        from cursor: ScrollCursor, limit: Int, _ selection: PointSelection, at snapshot: DatabaseSnapshot? = nil
    ) throws(KithError) -> (points: [StoredPoint], next: ScrollCursor?) {
        var points: [StoredPoint] = []
        var bytes = 0
        var position = cursor
        while position.shard < shards.count {
            let shard = shards[position.shard]
            var lower = Keys.shard(shard.id)
            if let after = position.after {
                after.encode(into: &lower)
                lower.append(0)
            }
            let rows = try shard.database.iterator(
                .points, from: lower, below: Keys.end(of: shard.id), at: snapshot ?? shard.current().store)
            while rows.isValid {
                if points.count == limit || bytes >= Limits.pageBytes { return (points, position) }
                let idBytes = UnsafeRawBufferPointer(rebasing: rows.key.dropFirst(Keys.shardBytes))
                guard let id = PointID(encoded: idBytes) else {
                    throw KithError(.dataLoss, .corruption, "shard \(shard.id) holds a row whose key is no point id")
                }
                var point = StoredPoint(id: id)
                try shard.fill(&point, from: OwnedBytes(rows.value), selection)
                bytes += point.payload.count + point.vectors.reduce(64) { $0 + $1.bytes.count }
                points.append(point)
                position.after = id
                try rows.next()
            }
            position = ScrollCursor(shard: position.shard + 1)
        }
        return (points, nil)
    }

    /// One moment of all shards, for `scroll(at:)`, and exactly the positions it holds.
    public func moment() throws(KithError) -> (snapshot: DatabaseSnapshot?, positions: [ShardPosition]) {
        guard let database = shards.first?.database else { return (nil, []) }
        let snapshot = database.snapshot()
        var positions: [ShardPosition] = []
        for shard in shards {
            let row = try database.get(.meta, Keys.state(shard.id), at: snapshot)
            let position = try row.map { row throws(KithError) in
                try row.withBytes { bytes throws(KithError) in try ShardState(decoding: bytes).position }
            }
            positions.append(ShardPosition(shard: shard.id.shard, position: position ?? 0))
        }
        return (snapshot, positions)
    }
}

extension Shard {
    /// Rows read in one go.
    private static let rowsAtOnce = 64

    /// Hands the rows of points, as they are in `view`, to `body`: once an id, in order, nil where there is no such point.
    func rows(
        of ids: [PointID], in view: ReadView, _ body: (Int, UnsafeRawBufferPointer?) throws(KithError) -> Void
    ) throws(KithError) {
        let prefix = Keys.shard(id)
        // In parts, so that rows of the largest payloads are not all pinned at once.
        for first in stride(from: 0, to: ids.count, by: Shard.rowsAtOnce) {
            var keys: [UInt8] = []
            var ends: [Int] = []
            for id in ids[first..<min(first + Shard.rowsAtOnce, ids.count)] {
                keys += prefix
                id.encode(into: &keys)
                ends.append(keys.count)
            }
            try database.multiGet(.points, keysBytes: keys, keyEnds: ends, at: view.store) { index, row throws(KithError) in
                try body(first + index, row)
            }
        }
    }

    /// Puts the version and the selected parts of a row into `point`.
    func fill(_ point: inout StoredPoint, from row: OwnedBytes, _ selection: PointSelection) throws(KithError) {
        let image = try PointImage(decoding: row.view.bytes)
        point.version = image.version
        if selection.payload { (point.payload, point.owner) = (image.payload, row) }
        for vector in image.vectors where selection.spaces.contains(Int(vector.space)) {
            point.vectors.append((Int(vector.space), spaces[Int(vector.space)].segments.read(vector.slot)))
        }
    }
}
