import Dispatch
import KithCore
import KithStorage
import Synchronization

/// The one writer of a shard: takes the commands that wait, applies them, and commits them as one group.
///
/// While a group is being synced the next one gathers, so the cost of a sync is shared by whoever came meanwhile.
final class ShardWriter: CommandLog {
    private struct Waiting {
        var command: Command
        var durability: Durability
        var reply: @Sendable (Result<CommitReply, KithError>) -> Void
    }

    private struct Queue {
        var waiting: [Waiting] = []
        var byteCount = 0
        /// A drain is under way or scheduled.
        var draining = false
        /// The tail is full: the linker wakes the drain.
        var paused = false
        var closed = false
    }

    /// Bytes of change log that a whole node may keep; shared by all its shards.
    private let budget: ChangeLogBudget
    let shard: Shard
    private let definition: @Sendable () -> CollectionDefinition
    private let linker: Linker
    private let queue = Mutex(Queue())
    private let executor: DispatchQueue
    /// Touched on the executor only.
    private let committer: Committer

    init(
        _ shard: Shard, state: ShardState, linker: Linker, budget: ChangeLogBudget,
        definition: @escaping @Sendable () -> CollectionDefinition
    ) throws(KithError) {
        self.shard = shard
        self.linker = linker
        self.budget = budget
        self.definition = definition
        executor = DispatchQueue(label: "kith.writer.\(shard.id)", qos: .userInitiated)
        committer = try Committer(shard, state: state)
        budget.add(Int(state.logBytes))
    }

    // MARK: Taking commands

    func append(
        _ command: Command, durability: Durability, reply: @escaping @Sendable (Result<CommitReply, KithError>) -> Void
    ) {
        let refusal = queue.withLock { queue -> KithError? in
            if queue.closed { return KithError(.unavailable, .shuttingDown, "the server is shutting down") }
            if let full = budget.refusal { return full }
            if queue.waiting.count >= Limits.writeQueueCommands || queue.byteCount >= Limits.writeQueueBytes {
                return overload(queue)
            }
            queue.waiting.append(Waiting(command: command, durability: durability, reply: reply))
            queue.byteCount += command.byteCount
            if !queue.draining, !queue.paused {
                queue.draining = true
                executor.async { self.drain() }
            }
            return nil
        }
        if let refusal { reply(.failure(refusal)) }
    }

    private func overload(_ queue: borrowing Queue) -> KithError {
        let tail = queue.paused ? ", and its index tail is full" : ""
        return KithError(
            .resourceExhausted, queue.paused ? .tailFull : .writeQueueFull,
            "\(queue.waiting.count) writes of \(queue.byteCount) bytes wait for shard \(shard.id)\(tail)",
            metadata: [
                "waiting": "\(queue.waiting.count)", "limit": "\(Limits.writeQueueCommands)",
                "bytes": "\(queue.byteCount)", "bytes_limit": "\(Limits.writeQueueBytes)",
            ],
            retryAfterMilliseconds: 100)
    }

    /// The linker has caught up some: a full tail may have room again.
    func linkerProgressed() {
        committer.indexWaiters.fire()
        queue.withLock { queue in
            guard queue.paused, !tailIsFull else { return }
            queue.paused = false
            queue.draining = true
            executor.async { self.drain() }
        }
    }

    /// Refuses new commands, commits those that wait, and syncs. Blocks.
    func close() {
        let wasPaused = queue.withLock { queue in
            queue.closed = true
            defer { queue.paused = false }
            return queue.paused
        }
        executor.sync {
            if wasPaused || queue.withLock({ !$0.waiting.isEmpty }) { drain() }
            committer.syncAccepted()
        }
    }

    // MARK: Maintenance, in turn with the groups

    /// Runs `body` between two groups.
    func betweenGroups(_ body: @escaping @Sendable (Committer) -> Void) {
        executor.async { body(self.committer) }
    }

    /// Makes every commit so far durable. Blocks; for callers off the writer's own thread.
    func settle() throws(KithError) {
        let result: Result<Void, KithError> = executor.sync {
            do throws(KithError) { return .success(try committer.sync()) } catch { return .failure(error) }
        }
        try result.get()
    }

    // MARK: Groups

    private var tailIsFull: Bool {
        let definition = definition()
        return definition.tailPolicy == .slowWriters && shard.longestTail >= Int(definition.tailVectors)
    }

    private func drain() {
        while let group = nextGroup() {
            let logBytes = committer.commit(
                group.map(\.command), sync: group.contains { $0.durability != .accepted },
                replies: { number, result in
                    let waiting = group[number]
                    if waiting.durability == .indexed, case .success = result {
                        self.committer.indexWaiters.add(self.shard.current().slotCounts) { waiting.reply(result) }
                    } else {
                        waiting.reply(result)
                    }
                })
            budget.add(logBytes)
            linker.wake(self)
            if committer.hasUnsynced { scheduleSync() }
        }
    }

    /// As many waiting commands as one group holds; nil ends the drain.
    private func nextGroup() -> [Waiting]? {
        queue.withLock { queue in
            if queue.waiting.isEmpty {
                queue.draining = false
                return nil
            }
            if !queue.closed, tailIsFull {
                queue.draining = false
                queue.paused = true
                return nil
            }
            var operations = 0
            var bytes = 0
            var count = 0
            for waiting in queue.waiting {
                operations += waiting.command.operations.count
                bytes += waiting.command.byteCount
                if count > 0, operations > Limits.groupOperations || bytes > Limits.groupBytes { break }
                count += 1
            }
            let group = Array(queue.waiting[..<count])
            queue.waiting.removeFirst(count)
            queue.byteCount -= group.reduce(0) { $0 + $1.command.byteCount }
            return group
        }
    }

    /// Accepted writes are synced soon, whether or not another write comes.
    private func scheduleSync() {
        guard committer.claimSyncTimer() else { return }
        executor.asyncAfter(deadline: .now() + .milliseconds(Limits.acceptedSyncMilliseconds)) {
            self.committer.syncAccepted()
        }
    }
}
