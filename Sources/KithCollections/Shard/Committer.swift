import Dispatch
import KithCore
import KithStorage
import KithTelemetry

/// Applies and writes groups. Used on the shard writer's executor only.
final class Committer: @unchecked Sendable {
    let shard: Shard
    /// As the last batch left it.
    var state: ShardState
    private var group: CommitGroup
    /// Commits were written that no sync has covered yet.
    private(set) var hasUnsynced = false
    private var syncTimerIsSet = false

    init(_ shard: Shard, state: ShardState) throws(KithError) {
        self.shard = shard
        self.state = state
        group = try CommitGroup(
            shard: shard.id, slotLimits: shard.spaces.map(\.segments.capacity), batch: shard.database.makeBatch(),
            state: state)
    }

    // MARK: Committing

    /// Commits the commands together: all or none, but for repeated requests. Answers the bytes the change log grew by.
    func commit(
        _ commands: [Command], sync: Bool, replies: (Int, Result<CommitReply, KithError>) -> Void
    ) -> Int {
        let start = DispatchTime.now().uptimeNanoseconds
        do throws(KithError) {
            let answers = try prepare(commands)
            try write(sync: sync)
            shard.publish(group, durable: sync)
            let grown = Int(group.state.logBytes) - Int(state.logBytes)
            state = group.state
            for (number, answer) in answers.enumerated() { replies(number, answer) }
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

    private func prepare(_ commands: [Command]) throws(KithError) -> [Result<CommitReply, KithError>] {
        group.begin(commands, from: state, shard.holds)
        try loadRows()
        var answers: [Result<CommitReply, KithError>] = []
        answers.reserveCapacity(commands.count)
        for command in commands {
            if let first = try firstAnswer(to: command.requestID) {
                group.skip(command)
                answers.append(Committer.repeated(first, for: command))
            } else if let refusal = try group.refusal(of: command) {
                group.skip(command)
                shard.metrics.heldWrites.add()
                answers.append(.failure(refusal))
            } else {
                try loadProgress(of: command)
                answers.append(.success(try group.apply(command)))
            }
        }
        try shard.reserveNames(for: group)
        var row: [UInt8] = []
        group.state.encode(into: &row)
        group.batch.put(.meta, key: Keys.state(shard.id), value: row)
        return answers
    }

    /// Reads the rows of all points that the commands name, in one go.
    private func loadRows() throws(KithError) {
        try shard.database.multiGet(.points, keys: group.points.map(\.key.bytes)) { place, row throws(KithError) in
            if let row { group.points[place].row = group.arena.append(row) }
        }
    }

    /// Finds how far the command's stream has come, where the group does not know yet.
    private func loadProgress(of command: Command) throws(KithError) {
        guard let stream = command.stream, group.streams[Array(stream.id.utf8)] == nil else { return }
        group.streams[Array(stream.id.utf8)] = try shard.lastItem(ofStream: stream.id)
    }

    /// Vectors first, then the batch that names their slots: the only commit point.
    private func write(sync: Bool) throws(KithError) {
        for (number, space) in shard.spaces.enumerated() where !group.vectors[number].isEmpty {
            try space.segments.write(group.vectors[number], at: group.firstSlots[number])
        }
        if sync { try syncSegments() }
        try shard.database.write(group.batch, sync: sync)
        hasUnsynced = !sync
    }

    private func syncSegments() throws(KithError) {
        for space in shard.spaces { try space.segments.sync() }
    }

    // MARK: Repeated requests

    /// What a request id was answered before, in this group or within the window of the last commits.
    private func firstAnswer(to requestID: String) throws(KithError) -> CommitReply? {
        guard !requestID.isEmpty else { return nil }
        if var first = group.requests[Array(requestID.utf8)] {
            first.replayed = true
            return first
        }
        guard let first = try storedAnswer(to: requestID) else { return nil }
        return first.position + Limits.requestWindowCommits > group.state.position ? first : nil
    }

    private func storedAnswer(to requestID: String) throws(KithError) -> CommitReply? {
        guard let row = try shard.database.get(.requests, Keys.request(shard.id, requestID)) else { return nil }
        return try row.withBytes { row throws(KithError) in try CommitReply(replaying: row) }
    }

    /// A repeated request must be the same request: else its sender would take the answers to others for its own.
    private static func repeated(_ first: CommitReply, for command: Command) -> Result<CommitReply, KithError> {
        guard first.outcomes.count == command.operations.count else {
            return .failure(
                .invalid(
                    .invalidValue, field: "request_id", "was used before, for \(first.outcomes.count) other operations",
                    metadata: ["request_id": command.requestID]))
        }
        return .success(first)
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

    // MARK: Upkeep

    /// Lets go of old rows that the store keeps for the view of a shard nobody writes to.
    func refreshView() { shard.show(state) }

    /// Forgets commits below `position`, as many as one turn allows. Answers the bytes given back.
    func trim(below position: LogPosition) throws(KithError) -> Int {
        let (first, freed) = try trimmable(below: min(position, state.position + 1))
        guard first > state.firstPosition else { return 0 }
        var next = state
        next.firstPosition = first
        next.logBytes -= min(UInt64(freed), next.logBytes)
        let batch = shard.database.makeBatch()
        batch.deleteRange(
            .changes, from: Keys.commit(shard.id, state.firstPosition), below: Keys.commit(shard.id, first))
        var row: [UInt8] = []
        next.encode(into: &row)
        batch.put(.meta, key: Keys.state(shard.id), value: row)
        // Readers know first: who then misses a commit can tell that it was trimmed.
        shard.show(next)
        do throws(KithError) { try shard.database.write(batch, sync: false) } catch {
            shard.show(state)
            throw error
        }
        state = next
        return freed
    }

    /// How far one turn of trimming gets, and the bytes of the rows until there.
    private func trimmable(below end: LogPosition) throws(KithError) -> (first: LogPosition, bytes: Int) {
        guard end > state.firstPosition else { return (state.firstPosition, 0) }
        var first = state.firstPosition
        var bytes = 0
        let rows = try shard.database.iterator(
            .changes, from: Keys.commit(shard.id, first), below: Keys.commit(shard.id, end))
        while rows.isValid, bytes < Limits.trimBytes {
            bytes += rows.key.count + rows.value.count
            first = Keys.position(ofCommitKey: rows.key) + 1
            try rows.next()
        }
        return (first, bytes)
    }

    /// Forgets request ids whose window has passed.
    func forgetRequests() throws(KithError) {
        guard state.position > Limits.requestWindowCommits else { return }
        let from = Keys.requestAge(shard.id, 0)
        let below = Keys.requestAge(shard.id, state.position - Limits.requestWindowCommits)
        let batch = shard.database.makeBatch()
        let rows = try shard.database.iterator(.requests, from: from, below: below)
        while rows.isValid, batch.count < Limits.groupOperations {
            let requestID = Keys.requestID(ofAgeKey: rows.key)
            // Used again after its window: the younger answer stays.
            if let answer = try storedAnswer(to: requestID), answer.position == Keys.position(ofAgeKey: rows.key) {
                batch.delete(.requests, key: Keys.request(shard.id, requestID))
            }
            batch.delete(.requests, key: rows.key)
            try rows.next()
        }
        try forgetStreams(batch)
        if batch.count > 0 { try shard.database.write(batch, sync: false) }
    }

    /// Streams whose last item was committed before the window cannot be resumed any more.
    private func forgetStreams(_ batch: WriteBatch) throws(KithError) {
        let bounds = Keys.streams(shard.id)
        let rows = try shard.database.iterator(.requests, from: bounds.from, below: bounds.below)
        while rows.isValid, batch.count < Limits.groupOperations {
            let position: LogPosition = rows.value.count == 16 ? rows.value.littleEndian(at: 8) : 0
            if position + Limits.requestWindowCommits < state.position { batch.delete(.requests, key: rows.key) }
            try rows.next()
        }
    }
}
