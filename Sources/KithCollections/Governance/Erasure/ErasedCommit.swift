import KithCore

/// A row of the change log without what it says of some points: their payloads and their vectors' digests. Their ids and versions, and the slots
/// of their vectors, stay: recovery goes by them.
struct ErasedCommit {
    /// The row as it should be; nil where nothing is to be taken from it.
    private(set) var row: [UInt8]?
    /// Whether a change of one of the points is in it.
    private(set) var isConcerned = false
    /// Where vectors of the points lie.
    private(set) var vectors: [PointImage.VectorReference] = []

    init(_ bytes: UnsafeRawBufferPointer, at position: LogPosition, without ids: Set<PointID>) throws(KithError) {
        let commit = try Commit(position: position, decoding: bytes)
        isConcerned = commit.changes.contains { ids.contains($0.id) }
        guard isConcerned else { return }
        var changed = false
        var row: [UInt8] = []
        row.reserveCapacity(bytes.count)
        Commit.encodeHeader(
            time: commit.time, requestID: commit.requestID, context: commit.context, schemaVersion: commit.schemaVersion,
            firstVersion: commit.firstVersion, changeCount: commit.changes.count, into: &row)
        for change in commit.changes {
            let isErased = ids.contains(change.id)
            let images = [change.before, change.after].map { image -> [UInt8] in
                guard var image else { return [] }
                if isErased {
                    vectors += image.vectors
                    changed = changed || !image.payload.isEmpty || image.vectors.contains { $0.digest != 0 }
                    image = image.erased
                }
                var bytes: [UInt8] = []
                image.encode(into: &bytes)
                return bytes
            }
            change.id.encoded.withUnsafeBytes { id in
                images[0].withUnsafeBytes { before in
                    images[1].withUnsafeBytes { after in
                        Commit.encodeChange(change.operation, encodedID: id, before: before, after: after, into: &row)
                    }
                }
            }
        }
        Commit.encodeFacts(commit.facts, into: &row)
        if changed { self.row = row }
    }
}
