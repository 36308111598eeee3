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
    /// There is a memory budget.
    let isMemoryLimited: Bool
    /// The legal holds that stand.
    var holds = LegalHolds.none

    /// - Complexity: O(commits since the checkpoints); O(points) for a space without a checkpoint.
    func open() throws(KithError) -> (shard: Shard, state: ShardState) {
        let state = try storedState()
        var spaces: [SpaceStore] = []
        for (number, space) in definition.spaces.enumerated() {
            spaces.append(
                try SpaceStore(
                    space, number, directory: "\(directory)/\(number)", registry: registry, state: state,
                    limited: isMemoryLimited))
        }
        let shard = try Shard(id: id, spaces: spaces, state: state, holds: holds, database: database, metrics: metrics)
        try rebuild(shard, state)
        try replay(shard, state)
        return (shard, state)
    }

    func storedState() throws(KithError) -> ShardState {
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
                try revive(vector, encodedID, version: image.version, in: shard.spaces[Int(vector.space)])
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
                try encodedID.withBytes { id throws(KithError) in try revive(vector, id, version: version, in: space) }
            }
        }
    }

    private func isDue(_ vector: PointImage.VectorReference, _ position: LogPosition, _ starts: [LogPosition]) -> Bool {
        starts[Int(vector.space)] > 0 && position > starts[Int(vector.space)]
    }

    /// Puts a vector into the row table. A power cut may have taken the bytes of one that was only accepted: it is kept out of searches.
    private func revive(
        _ vector: PointImage.VectorReference, _ encodedID: UnsafeRawBufferPointer, version: UInt64, in space: SpaceStore
    ) throws(KithError) {
        try space.rows.reserveNames(RowTable.nameBytes(of: encodedID))
        space.rows.set(vector.slot, encodedID: encodedID, version: version)
        if checksum64(space.segments.read(vector.slot).bytes) == vector.digest {
            space.rows.deaths.kill(vector.slot, at: 0)
        } else {
            space.rows.deaths.kill(vector.slot, at: 1)
            guard vector.digest != PointImage.VectorReference.erasedDigest else { return }
            let point = PointID(encoded: encodedID)?.description ?? ""
            shardLog.error(
                "a vector does not match its digest and is left out of searches",
                ["shard": "\(id)", "point": point, "space": space.space.name])
        }
    }
}

extension Database {
    func withValue<Result>(
        _ family: ColumnFamily, key: [UInt8], _ body: (UnsafeRawBufferPointer) throws(KithError) -> Result
    ) throws(KithError) -> Result? {
        try key.withBytes { key throws(KithError) in try withValue(family, key: key, body) }
    }
}
