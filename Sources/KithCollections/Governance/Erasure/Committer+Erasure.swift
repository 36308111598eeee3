import KithCore
import KithIndex
import KithStorage

/// Removing what a shard keeps of points that were deleted, in turn with its groups.
extension Committer {
    /// What one turn has done.
    struct Scrubbing {
        /// The commit to go on with.
        var next: LogPosition
        /// Commits that had the points, or had them before an earlier turn.
        var commits = 0
        /// Bytes that the log grew by.
        var grown = 0
        /// Where vectors of the points lie.
        var vectors: Set<PointImage.VectorReference> = []
    }

    /// Takes the points out of the commits from `position` through `end`, as many as one turn allows.
    func scrubLog(of ids: Set<PointID>, from position: LogPosition, through end: LogPosition) throws(KithError) -> Scrubbing {
        var done = Scrubbing(next: max(position, state.firstPosition))
        let batch = shard.database.makeBatch()
        var bytes = 0
        let rows = try shard.database.iterator(
            .changes, from: Keys.commit(shard.id, done.next), below: Keys.commit(shard.id, end + 1))
        while rows.isValid, bytes < Limits.trimBytes {
            let position = Keys.position(ofCommitKey: rows.key)
            let erased = try ErasedCommit(rows.value, at: position, without: ids)
            if erased.isConcerned { done.commits += 1 }
            // The same slot, whether or not its digest was taken before.
            for var vector in erased.vectors {
                vector.digest = 0
                done.vectors.insert(vector)
            }
            if let row = erased.row {
                batch.put(.changes, key: Array(rows.key), value: row)
                done.grown += row.count - rows.value.count
            }
            bytes += rows.value.count
            done.next = position + 1
            try rows.next()
        }
        if !rows.isValid { done.next = end + 1 }
        guard batch.count > 0 else { return done }
        var next = state
        next.logBytes = UInt64(max(0, Int(next.logBytes) + done.grown))
        var row: [UInt8] = []
        next.encode(into: &row)
        batch.put(.meta, key: Keys.state(shard.id), value: row)
        try shard.database.write(batch, sync: true)
        state = next
        refreshView()
        return done
    }

    /// Overwrites vectors with zeros: those of `vectors`, and those that the row tables know of the points, where nothing living names them any
    /// more. Answers how many, synced.
    func overwrite(_ vectors: Set<PointImage.VectorReference>, of ids: Set<PointID>, diedBy end: LogPosition) throws(KithError)
        -> Int
    {
        var count = 0
        for (number, space) in shard.spaces.enumerated() {
            var slots = Set(vectors.filter { Int($0.space) == number }.map(\.slot))
            for slot in 0..<state.nextSlots[number] where space.rows.deaths.isDead(slot) {
                if let id = space.rows.id(slot), ids.contains(id) { slots.insert(slot) }
            }
            let zeros = OwnedBytes([UInt8](repeating: 0, count: space.segments.vectorBytes))
            for slot in slots.sorted() where space.rows.deaths.isDead(slot) && !space.rows.deaths.isVisible(slot, at: end) {
                try space.segments.write([zeros.view], at: slot)
                count += 1
            }
            try space.segments.sync()
        }
        return count
    }
}
