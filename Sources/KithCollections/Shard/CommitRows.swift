import KithCore
import KithStorage

/// The rows of one change log, as its readers walk them.
struct CommitRows {
    let log: ShardID
    let database: Database

    /// Visits the commits after `position` up to `last` in order, until `visit` answers false. Answers the last position visited.
    ///
    /// - Parameter firstPosition: the first commit that is kept; asked again where rows are missing, for they may just have been trimmed.
    /// - Throws: `POSITION_TRIMMED`; `CORRUPTION`.
    func forEach(
        after position: LogPosition, upTo last: LogPosition, firstPosition: () -> LogPosition,
        _ visit: (Commit, Int) throws(KithError) -> Bool
    ) throws(KithError) -> LogPosition {
        guard position + 1 >= firstPosition() else { throw trimmed(after: position, first: firstPosition()) }
        guard position < last else { return position }
        let rows = try database.iterator(
            .changes, from: Keys.commit(log, position + 1), below: Keys.commit(log, last + 1))
        var visited = position
        while rows.isValid {
            let next = Keys.position(ofCommitKey: rows.key)
            guard next == visited + 1 else {
                let first = firstPosition()
                if first > visited + 1 { throw trimmed(after: visited, first: first) }
                throw KithError(.dataLoss, .corruption, "shard \(log) misses the commits \(visited + 1) to \(next - 1)")
            }
            let more = try visit(try Commit(position: next, decoding: rows.value), rows.key.count + rows.value.count)
            visited = next
            if !more { break }
            try rows.next()
        }
        return visited
    }

    private func trimmed(after position: LogPosition, first: LogPosition) -> KithError {
        KithError(
            .outOfRange, .positionTrimmed,
            "commits after \(position) of shard \(log.shard) are no longer kept; the first is \(first)",
            metadata: ["position": "\(position)", "first_position": "\(first)", "shard": "\(log.shard)"])
    }
}
