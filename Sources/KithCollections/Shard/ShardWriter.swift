import Dispatch
import KithCore
import KithStorage
import KithTelemetry
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
        /// Writes wait for the linker, which wakes the drain.
        var paused = false
        var credit = WriterCredit()
        var closed = false
    }

    /// Bytes of change log that a whole node may keep; shared by all its shards.
    private let budget: ChangeLogBudget
    let shard: Shard
    private let definition: @Sendable () -> CollectionDefinition
    private let linker: Linker
    private let tailAllowance: TailAllowance
    private let queue = Mutex(Queue())
    private let indexWaiters: IndexWaiters
    private let executor: DispatchQueue
    /// Touched on the executor only.
    private let committer: Committer

    init(
        _ shard: Shard, state: ShardState, linker: Linker, tailAllowance: TailAllowance, budget: ChangeLogBudget,
        definition: @escaping @Sendable () -> CollectionDefinition
    ) throws(KithError) {
        self.shard = shard
        self.linker = linker
        self.tailAllowance = tailAllowance
        self.budget = budget
        self.definition = definition
        indexWaiters = IndexWaiters(shard)
        executor = DispatchQueue(label: "kith.writer.\(shard.id)", qos: .userInitiated)
        committer = try Committer(shard, state: state)
        budget.add(Int(state.logBytes))
    }

    // MARK: Taking commands

    func append(
        _ command: Command, durability: Durability, reply: @escaping @Sendable (Result<CommitReply, KithError>) -> Void
    ) {
        let (refusal, paused) = queue.withLock { queue -> (KithError?, Bool) in
            if let refusal = self.refusal(queue) { return (refusal, queue.paused) }
            queue.waiting.append(Waiting(command: command, durability: durability, reply: reply))
            queue.byteCount += command.byteCount
            if !queue.draining, !queue.paused { scheduleDrain(&queue) }
            return (nil, queue.paused)
        }
        // A linker that failed tries again.
        if paused { linker.wake(self) }
        guard let refusal else { return }
        shard.metrics.writeErrors.add()
        reply(.failure(refusal))
    }

    /// Why a command cannot be taken now.
    private func refusal(_ queue: borrowing Queue) -> KithError? {
        if queue.closed { return closing }
        if let full = budget.refusal { return full }
        guard queue.waiting.count >= Limits.writeQueueCommands || queue.byteCount >= Limits.writeQueueBytes else { return nil }
        let waitsForLinker = room(queue.credit) <= 0
        let why = waitsForLinker ? ", until its vectors are linked" : ""
        return KithError(
            .resourceExhausted, waitsForLinker ? .tailFull : .writeQueueFull,
            "\(queue.waiting.count) writes of \(queue.byteCount) bytes wait for shard \(shard.id)\(why)",
            metadata: [
                "waiting": "\(queue.waiting.count)", "limit": "\(Limits.writeQueueCommands)",
                "bytes": "\(queue.byteCount)", "bytes_limit": "\(Limits.writeQueueBytes)",
            ],
            retryAfterMilliseconds: 100)
    }

    private func scheduleDrain(_ queue: inout Queue) {
        setPaused(false, &queue)
        queue.draining = true
        executor.async { self.drain() }
    }

    private func setPaused(_ paused: Bool, _ queue: inout Queue) {
        guard paused != queue.paused else { return }
        queue.paused = paused
        shard.metrics.slowedWriters.add(paused ? 1 : -1)
    }

    /// The linker has linked so many, or the policy has changed: writes that wait may go on.
    func tailChanged(linked: Int = 0) {
        shard.reportTail()
        indexWaiters.fire()
        queue.withLock { queue in
            queue.credit.linked(linked)
            if queue.paused, room(queue.credit) > 0 { scheduleDrain(&queue) }
        }
    }

    // MARK: The index

    /// Whether only fresh vectors are worked on.
    var isMaintenancePaused: Bool { definition().isMaintenancePaused }

    /// The linker may have something to do.
    func wakeLinker() { linker.wake(self) }

    // MARK: Closing

    /// Refuses new commands, commits those that wait, and syncs. Blocks.
    func close() {
        queue.withLock { queue in
            queue.closed = true
            if queue.paused { scheduleDrain(&queue) }
        }
        executor.sync { committer.syncAccepted() }
    }

    /// Answers the writes that wait for a linker which will not come again.
    func stopWaitingForIndexes() { indexWaiters.close() }

    // MARK: Upkeep, in turn with the groups

    /// Runs `body` between two groups; not once the shard is closed.
    func betweenGroups(_ body: @escaping @Sendable (Committer) -> Void) {
        executor.async {
            if !self.queue.withLock({ $0.closed }) { body(self.committer) }
        }
    }

    /// Makes every commit so far durable. Blocks; for callers off the writer's own thread.
    func settle() throws(KithError) {
        let result: Result<Void, KithError> = executor.sync {
            do throws(KithError) { return .success(try committer.sync()) } catch { return .failure(error) }
        }
        try result.get()
    }

    /// Runs `body` between two groups, and answers what it answers. Blocks; for callers off the writer's own thread.
    ///
    /// - Throws: `SHUTTING_DOWN` once the shard is closed.
    func inTurn<Answer>(_ body: (Committer) throws(KithError) -> Answer) throws(KithError) -> Answer {
        let result: Result<Answer, KithError> = executor.sync {
            do throws(KithError) {
                if queue.withLock({ $0.closed }) { throw closing }
                return .success(try body(committer))
            } catch { return .failure(error) }
        }
        return try result.get()
    }

    private var closing: KithError { KithError(.unavailable, .shuttingDown, "shard \(shard.id) is closing") }

    // MARK: Groups

    /// Vectors that may be written before the linker has linked more; none: writes wait for it.
    private func room(_ credit: borrowing WriterCredit) -> Int {
        let definition = definition()
        guard definition.tailPolicy == .slowWriters else { return .max }
        let left = Int(definition.tailVectors) - shard.longestTail
        guard definition.tailVectors == CollectionDefinition.defaultTailVectors else { return left }
        let affordable = shard.affordableRoom(tailAllowance)
        return min(left, affordable > 0 ? affordable : credit.vectors)
    }

    private func drain() {
        while let group = nextGroup() {
            let logBytes = committer.commit(
                group.map(\.command), sync: group.contains { $0.durability != .accepted },
                replies: { number, result in
                    let waiting = group[number]
                    if waiting.durability == .indexed, case .success = result {
                        indexWaiters.add(shard.current().slotCounts) { error in
                            waiting.reply(error.map { .failure($0) } ?? result)
                        }
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
            let room = queue.closed ? .max : room(queue.credit)
            setPaused(!queue.waiting.isEmpty && room <= 0, &queue)
            if queue.paused || queue.waiting.isEmpty {
                queue.draining = false
                if queue.paused { linker.wake(self) }
                return nil
            }
            var operations = 0
            var bytes = 0
            var count = 0
            for waiting in queue.waiting {
                operations += waiting.command.operations.count
                bytes += waiting.command.byteCount
                if count > 0, operations > min(Limits.groupOperations, room) || bytes > Limits.groupBytes { break }
                count += 1
            }
            let group = Array(queue.waiting[..<count])
            queue.waiting.removeFirst(count)
            queue.byteCount -= group.reduce(0) { $0 + $1.command.byteCount }
            queue.credit.write(group.reduce(0) { $0 + $1.command.operations.count })
            return group
        }
    }

    /// Accepted writes are synced soon, whether or not another write comes.
    private func scheduleSync() {
        guard committer.claimSyncTimer() else { return }
        executor.asyncAfter(deadline: .now() + .milliseconds(Limits.acceptedSyncMilliseconds)) { [weak self] in
            self?.committer.syncAccepted()
        }
    }
}
