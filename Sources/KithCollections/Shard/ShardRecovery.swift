import KithCore
import KithIndex
import KithStorage
import KithTelemetry
import Synchronization

/// Opening a shard: its state row, its spaces from their checkpoints, and the commits since then again from the log.
struct ShardRecovery {
    let id: ShardID
    let directory: String
    let definition: CollectionDefinition
    let database: Database
    let registry: IndexRegistry
    let metrics: Metrics

    /// - Complexity: O(commits since the checkpoints); O(points) for a space without a checkpoint.
    func open() throws(KithError) -> (shard: Shard, state: ShardState) {
        let state = try storedState()
        var spaces: [SpaceStore] = []
        for (number, space) in definition.spaces.enumerated() {
            spaces.append(
                try SpaceStore(space, directory: "\(directory)/\(number)", registry: registry, state: state))
        }
        let shard = try Shard(id: id, spaces: spaces, state: state, database: database, metrics: metrics)
        try rebuild(shard, state)
        try replay(shard, state)
        return (shard, state)
    }

    private func storedState() throws(KithError) -> ShardState {
        let row = try database.withValue(.meta, key: Keys.state(id)) { bytes throws(KithError) in
            try ShardState(decoding: bytes)
        }
        let state = row ?? ShardState(spaceCount: definition.spaces.count)
        guard state.nextSlots.count == definition.spaces.count else {
            throw KithError(
                .dataLoss, .corruption,
                "shard \(id) has \(state.nextSlots.count) vector spaces, its collection \(definition.spaces.count)")
        }
        return state
    }

    // MARK: Without a checkpoint

    /// Makes the row tables of spaces that have no checkpoint from the point rows.
    private func rebuild(_ shard: Shard, _ state: ShardState) throws(KithError) {
        let missing = shard.spaces.indices.filter {
            shard.spaces[$0].checkpointPosition.load(ordering: .relaxed) == 0 && state.nextSlots[$0] > 0
        }
        guard !missing.isEmpty else { return }
        for space in missing {
            // Dead unless a point row names it.
            for slot in 0..<state.nextSlots[space] { shard.spaces[space].rows.deaths.kill(slot, at: 1) }
        }
        let rows = try database.iterator(
            .points, from: Keys.shard(id), below: Keys.end(of: id), readahead: 4 << 20)
        while rows.isValid {
            let encodedID = UnsafeRawBufferPointer(rebasing: rows.key.dropFirst(Keys.shardBytes))
            let image = try PointImage(decoding: rows.value)
            for vector in image.vectors where missing.contains(Int(vector.space)) {
                let table = shard.spaces[Int(vector.space)].rows
                try table.set(vector.slot, encodedID: encodedID, version: image.version)
                table.deaths.kill(vector.slot, at: 0)
            }
            try rows.next()
        }
        shardLog.info("rebuilt row tables", ["shard": "\(id)", "points": "\(state.points)"])
    }

    // MARK: Since the checkpoint

    /// Does again, for each space, what commits after its checkpoint did to its row table.
    private func replay(_ shard: Shard, _ state: ShardState) throws(KithError) {
        let starts = shard.spaces.map { $0.checkpointPosition.load(ordering: .relaxed) }
        guard let first = starts.filter({ $0 > 0 }).min(), first < state.position else { return }
        var replayed = 0
        _ = try shard.forEachCommit(after: first) { commit, _ throws(KithError) in
            for change in commit.changes { try replay(change, at: commit.position, shard, starts) }
            replayed += 1
            return true
        }
        shardLog.info("replayed commits", ["shard": "\(id)", "after": "\(first)", "commits": "\(replayed)"])
    }

    private func replay(
        _ change: Change, at position: LogPosition, _ shard: Shard, _ starts: [LogPosition]
    ) throws(KithError) {
        let before = change.before?.vectors ?? []
        let after = change.after?.vectors ?? []
        for vector in before where !after.contains(vector) && isDue(vector, position, starts) {
            shard.spaces[Int(vector.space)].rows.deaths.kill(vector.slot, at: position)
        }
        let encodedID = change.id.encoded
        for vector in after where isDue(vector, position, starts) {
            let space = shard.spaces[Int(vector.space)]
            let version = change.after?.version ?? 0
            if before.contains(vector) {
                space.rows.setVersion(vector.slot, version)
            } else {
                try encodedID.withBytes { id throws(KithError) in
                    try space.rows.set(vector.slot, encodedID: id, version: version)
                }
                verify(vector, of: change.id, in: space)
            }
        }
    }

    private func isDue(_ vector: PointImage.VectorReference, _ position: LogPosition, _ starts: [LogPosition]) -> Bool {
        starts[Int(vector.space)] > 0 && position > starts[Int(vector.space)]
    }

    /// A power cut may have taken the bytes of a vector that was only accepted: it is named, and kept out of searches.
    private func verify(_ vector: PointImage.VectorReference, of id: PointID, in space: SpaceStore) {
        let bytes = space.segments.read(vector.slot)
        guard checksum64(bytes.bytes) != vector.digest else { return }
        space.rows.deaths.kill(vector.slot, at: 1)
        shardLog.error(
            "a vector does not match its digest and is left out of searches",
            ["shard": "\(self.id)", "point": "\(id)", "space": space.space.name])
    }
}

extension Database {
    func withValue<Result>(
        _ family: ColumnFamily, key: [UInt8], _ body: (UnsafeRawBufferPointer) throws(KithError) -> Result
    ) throws(KithError) -> Result? {
        try key.withBytes { key throws(KithError) in try withValue(family, key: key, body) }
    }
}
