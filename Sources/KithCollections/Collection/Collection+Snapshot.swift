public import KithCore
public import KithStorage

extension Collection {
    /// A page of points as READ changes, for those who want a snapshot before the stream: one commit a shard in the page.
    ///
    /// Each stands at the position its shard had at that moment, and at no time of its own.
    /// The images' slots are good as long as the collection is open; their payloads as long as the answer.
    public func readCommit(
        from cursor: ScrollCursor, limit: Int, at snapshot: DatabaseSnapshot?, positions: [LogPosition]
    ) throws(KithError) -> (commits: [(shard: Int, commit: Commit)], next: ScrollCursor?) {
        // Events may carry whole vectors, which the scroll does not count.
        let vectorBytes = definition.spaces.reduce(1) { $0 + $1.vectorBytes }
        let limit = min(limit, max(Limits.pageBytes / vectorBytes, 1))
        let page = try scroll(from: cursor, limit: limit, PointSelection(payload: true), at: snapshot)
        var commits: [(shard: Int, commit: Commit)] = []
        let redaction = PayloadRedaction(definition.events)
        for point in page.points {
            guard var owner = point.owner else { continue }
            if let redaction { owner = OwnedBytes(try PayloadRedactor.redacted(row: owner.view, by: redaction)) }
            let shard = shardNumber(of: point.id)
            let change = Change(
                operation: .read, id: point.id, before: nil, after: try PointImage(decoding: owner.view.bytes), owner: owner)
            if commits.last?.shard != shard {
                commits.append((shard, Commit(position: positions[shard], time: 0, requestID: "", changes: [])))
            }
            commits[commits.count - 1].commit.changes.append(change)
        }
        return (commits, page.next)
    }
}
