import Dispatch
import KithCore
import KithStorage
import KithTelemetry

/// Applies and writes groups. Used on the shard writer's executor only.
final class Committer: @unchecked Sendable {
    private let shard: Shard
    private var state: ShardState
    private var group: CommitGroup
    private(set) var hasUnsynced = false
    private var syncTimerIsSet = false
    let indexWaiters: IndexWaiters

    init(_ shard: Shard, state: ShardState) throws(KithError) {
        self.shard = shard
        self.state = state
        group = try CommitGroup(batch: shard.database.makeBatch(), state: state)
        indexWaiters = IndexWaiters(shard)
    }

    /// Commits the commands together: all or none. Answers the bytes the change log grew by.
    func commit(
        _ commands: [Command], sync: Bool, replies: (Int, Result<CommitReply, KithError>) -> Void
    ) -> Int {
        let start = DispatchTime.now().uptimeNanoseconds
        do throws(KithError) {
            let answers = try prepare(commands)
            try write(sync: sync)
            try shard.publish(group, durable: sync)
            let grown = Int(group.state.logBytes) - Int(state.logBytes)
            state = group.state
            for (number, answer) in answers.enumerated() { replies(number, .success(answer)) }
            count(commands, since: start)
            return grown
        } catch {
            shardLog.error("a group could not be committed", ["shard": "\(shard.id)", "error": "\(error)"])
            shard.metrics.writeErrors.add(commands.count)
            for number in commands.indices { replies(number, .failure(error)) }
            return 0
        }
    }

    private func count(_ commands: [Command], since start: UInt64) {
        let metrics = shard.metrics
        metrics.groups.add()
        metrics.commits.add(commands.count)
        metrics.operations.add(commands.reduce(0) { $0 + $1.operations.count })
        metrics.commitDuration.record(nanoseconds: DispatchTime.now().uptimeNanoseconds - start)
    }

    // MARK: Preparing

    private func prepare(_ commands: [Command]) throws(KithError) -> [CommitReply] {
        group.begin(from: state)
        try loadPoints(of: commands)
        var answers: [CommitReply] = []
        answers.reserveCapacity(commands.count)
        for command in commands {
            if let first = try firstAnswer(to: command.requestID) {
                answers.append(first)
            } else {
                answers.append(try group.apply(command, to: shard.id))
            }
        }
        var row: [UInt8] = []
        group.state.encode(into: &row)
        group.batch.put(.meta, key: Keys.state(shard.id), value: row)
        return answers
    }

    /// Reads the rows of all points that the commands name, in one go.
    private func loadPoints(of commands: [Command]) throws(KithError) {
        var ids: [PointID] = []
        var keys: [UnsafeRawBufferPointer] = []
        let prefix = Keys.shard(shard.id)
        for command in commands {
            for operation in command.operations where group.points[operation.id] == nil {
                group.points[operation.id] = CommitGroup.PendingRow(row: nil)
                ids.append(operation.id)
                keys.append(
                    group.arena.append {
                        $0.append(contentsOf: prefix)
                        operation.id.encode(into: &$0)
                    }.bytes)
            }
        }
        try shard.database.multiGet(.points, keys: keys) { number, row throws(KithError) in
            guard let row else { return }
            group.points[ids[number]] = CommitGroup.PendingRow(row: group.arena.append(row))
        }
    }

    /// What a request id was answered before, in this group or within the window of the last commits.
    private func firstAnswer(to requestID: String) throws(KithError) -> CommitReply? {
        guard !requestID.isEmpty else { return nil }
        if var first = group.requests[requestID] {
            first.replayed = true
            return first
        }
        guard let row = try shard.database.get(.requests, Keys.request(shard.id, requestID)) else { return nil }
        let first = try row.withBytes { row throws(KithError) in try CommitReply(replaying: row) }
        return first.position + Limits.requestWindowCommits > state.position ? first : nil
    }

    // MARK: Writing

    /// Vectors first, then the batch that names their slots: the only commit point.
    private func write(sync: Bool) throws(KithError) {
        for (number, space) in shard.spaces.enumerated() where !group.vectors[number].isEmpty {
            try space.segments.write(group.vectors[number], at: group.firstSlots[number])
            if sync { try space.segments.sync() }
        }
        if sync, hasUnsynced { try syncSegments() }
        try shard.database.write(group.batch, sync: sync)
        hasUnsynced = !sync
    }

    private func syncSegments() throws(KithError) {
        for space in shard.spaces { try space.segments.sync() }
    }

    // MARK: Syncing accepted writes

    /// Whether the caller is to set the timer: at most one runs.
    func claimSyncTimer() -> Bool {
        defer { syncTimerIsSet = true }
        return !syncTimerIsSet
    }

    /// Syncs what was only accepted. A failure is tried again with the next group.
    func syncAccepted() {
        syncTimerIsSet = false
        do throws(KithError) { try sync() } catch {
            shardLog.error("accepted writes could not be synced", ["shard": "\(shard.id)", "error": "\(error)"])
        }
    }

    func sync() throws(KithError) {
        guard hasUnsynced else { return }
        try syncSegments()
        try shard.database.syncLog()
        hasUnsynced = false
        shard.markDurable(state.position)
    }

    // MARK: Trimming

    /// Forgets commits below `position` and the request ids that go with them. Answers the bytes given back.
    func trim(below position: LogPosition) throws(KithError) -> Int {
        let first = min(position, state.position + 1)
        guard first > state.firstPosition else { return 0 }
        let from = Keys.commit(shard.id, state.firstPosition)
        let below = Keys.commit(shard.id, first)
        var freed = 0
        let rows = try shard.database.iterator(.changes, from: from, below: below)
        while rows.isValid {
            freed += rows.key.count + rows.value.count
            try rows.next()
        }
        var next = state
        next.firstPosition = first
        next.logBytes -= min(UInt64(freed), next.logBytes)
        let batch = shard.database.makeBatch()
        batch.deleteRange(.changes, from: from, below: below)
        try forgetRequests(batch)
        var row: [UInt8] = []
        next.encode(into: &row)
        batch.put(.meta, key: Keys.state(shard.id), value: row)
        try shard.database.write(batch, sync: false)
        state = next
        shard.show(next)
        return freed
    }

    private func forgetRequests(_ batch: WriteBatch) throws(KithError) {
        guard state.position > Limits.requestWindowCommits else { return }
        let oldest = state.position - Limits.requestWindowCommits
        let rows = try shard.database.iterator(
            .requests, from: Keys.requestAge(shard.id, 0), below: Keys.requestAge(shard.id, oldest))
        while rows.isValid {
            let requestID = String(decoding: rows.value, as: UTF8.self)
            batch.delete(.requests, key: Keys.request(shard.id, requestID))
            batch.delete(.requests, key: Array(rows.key))
            try rows.next()
        }
    }
}
