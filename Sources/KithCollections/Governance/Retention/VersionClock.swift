import KithCore
import KithStorage

/// Keeps the version times of all shards. Used by one thread.
struct VersionClock {
    private struct Entry {
        var times: VersionTimes
        /// The commit of the last mark.
        var position: LogPosition = 0
    }

    private let database: Database
    private var entries: [ShardID: Entry] = [:]

    init(_ database: Database) { self.database = database }

    /// Notes what the shards of a collection have come to, where there is news and the last mark is old enough.
    ///
    /// - Parameter spacing: microseconds between two marks.
    mutating func note(_ collection: Collection, at time: Int64, spacing: Int64) throws(KithError) {
        for writer in collection.writers {
            let shard = writer.shard
            var entry = try entry(shard.id)
            let position = shard.position
            guard position != entry.position, entry.times.marks.last.map({ time - $0.time >= spacing }) ?? true else { continue }
            let version = try writer.inTurn { $0.state.version }
            let before = entry.times
            entry.times.note(version, at: time)
            // Behind the commits it is about, in the same log of the store: after a crash there is no mark of a version that is given again.
            if entry.times != before {
                var row: [UInt8] = []
                entry.times.encode(into: &row)
                let batch = database.makeBatch()
                batch.put(.meta, key: Keys.versionTimes(shard.id), value: row)
                try database.write(batch, sync: false)
            }
            entry.position = position
            entries[shard.id] = entry
        }
    }

    /// The last versions of each shard that were given at `time` or before.
    mutating func versions(_ collection: Collection, by time: Int64) throws(KithError) -> [UInt64] {
        var versions: [UInt64] = []
        for shard in collection.shards { versions.append(try entry(shard.id).times.version(by: time)) }
        return versions
    }

    /// Forgets the shards of collections that are gone.
    mutating func keep(_ collections: Set<UInt32>) {
        entries = entries.filter { collections.contains($0.key.collection) }
    }

    private mutating func entry(_ shard: ShardID) throws(KithError) -> Entry {
        if let known = entries[shard] { return known }
        let stored = try database.withValue(.meta, key: Keys.versionTimes(shard)) { bytes throws(KithError) in
            try VersionTimes(decoding: bytes)
        }
        let entry = Entry(times: stored ?? VersionTimes())
        entries[shard] = entry
        return entry
    }
}
