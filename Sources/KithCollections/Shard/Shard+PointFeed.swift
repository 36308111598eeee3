public import KithCore
import KithStorage

extension Shard: PointFeed {
    public func readPoints(
        after point: PointID?, upTo position: LogPosition, limit: Int, of definition: CollectionDefinition
    ) throws(KithError) -> PointPage {
        let view = current()
        let bound = try firstVersion(after: position, in: view)
        let redaction = PayloadRedaction(definition.events)
        var lower = Keys.shard(id)
        if let point {
            point.encode(into: &lower)
            lower.append(0)
        }
        var page = PointPage()
        var (count, bytes) = (0, 0)
        let rows = try database.iterator(.points, from: lower, below: Keys.end(of: id), at: view.store)
        while rows.isValid, count < limit, bytes < Limits.pageBytes {
            guard let found = PointID(encoded: UnsafeRawBufferPointer(rebasing: rows.key.dropFirst(Keys.shardBytes))) else {
                throw KithError(.dataLoss, .corruption, "shard \(id) holds a row whose key is no point id")
            }
            count += 1
            page.last = found
            if try PointImage(decoding: rows.value).version < bound {
                bytes += rows.value.count
                var owner = OwnedBytes(rows.value)
                if let redaction { owner = OwnedBytes(try PayloadRedactor.redacted(row: owner.view, by: redaction)) }
                page.changes.append(
                    Change(
                        operation: .read, id: found, before: nil, after: try PointImage(decoding: owner.view.bytes), owner: owner)
                )
            }
            try rows.next()
        }
        return page
    }

    /// The first version that was given after `position`; the largest number where none was.
    private func firstVersion(after position: LogPosition, in view: ReadView) throws(KithError) -> UInt64 {
        var version = UInt64.max
        _ = try CommitRows(log: id, database: database).forEach(
            after: position, upTo: view.position, firstPosition: { firstPosition }
        ) { (commit, _) throws(KithError) in
            // Old rows do not say the version of a deletion, which no living point has.
            version = commit.changes.indices.lazy.map(commit.version(ofChange:)).first { $0 > 0 } ?? .max
            return version == .max
        }
        return version
    }

    public func note(_ name: String) throws(KithError) -> [UInt8]? { try database.get(.meta, Keys.note(id, name)) }

    public func saveNote(_ name: String, _ bytes: [UInt8]) throws(KithError) {
        let batch = database.makeBatch()
        batch.put(.meta, key: Keys.note(id, name), value: bytes)
        try database.write(batch, sync: false)
    }
}
