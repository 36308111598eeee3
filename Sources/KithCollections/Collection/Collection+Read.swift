public import KithCore
public import KithStorage

extension Collection {
    /// Points by id, in the order asked, and the ids that do not exist.
    public func get(_ ids: [PointID], _ selection: PointSelection) throws(KithError) -> (found: [StoredPoint], missing: [PointID])
    {
        var rows = [OwnedBytes?](repeating: nil, count: ids.count)
        for (number, shard) in shards.enumerated() {
            let places = ids.indices.filter { shards.count == 1 || shardNumber(of: ids[$0]) == number }
            var keys: [UInt8] = []
            var ends: [Int] = []
            for place in places {
                keys += Keys.shard(shard.id)
                ids[place].encode(into: &keys)
                ends.append(keys.count)
            }
            try shard.database.multiGet(.points, keysBytes: keys, keyEnds: ends) { index, row throws(KithError) in
                rows[places[index]] = row.map { OwnedBytes($0) }
            }
        }
        var found: [StoredPoint] = []
        var missing: [PointID] = []
        for (id, row) in zip(ids, rows) {
            guard let row else {
                missing.append(id)
                continue
            }
            var point = StoredPoint(id: id, version: 0, payload: .empty, vectors: [], score: 0, owner: nil)
            try shards[shardNumber(of: id)].fill(&point, from: row, selection)
            found.append(point)
        }
        return (found, missing)
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
            let rows = try shard.database.iterator(.points, from: lower, below: Keys.end(of: shard.id), at: snapshot)
            while rows.isValid {
                if points.count == limit || bytes >= Limits.pageBytes { return (points, position) }
                let idBytes = UnsafeRawBufferPointer(rebasing: rows.key.dropFirst(Keys.shardBytes))
                guard let id = PointID(encoded: idBytes) else {
                    throw KithError(.dataLoss, .corruption, "shard \(shard.id) holds a row whose key is no point id")
                }
                var point = StoredPoint(id: id, version: 0, payload: .empty, vectors: [], score: 0, owner: nil)
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
