import Foundation
public import KithCore
import KithTelemetry
import Synchronization

/// A collection as the API sees it: operations by point id, whatever the shards.
public final class Collection: Sendable {
    private let state: Mutex<CollectionDefinition>
    let writers: [ShardWriter]
    public let shards: [Shard]
    let metrics: Metrics

    init(_ definition: CollectionDefinition, writers: [ShardWriter], metrics: Metrics) {
        state = Mutex(definition)
        self.writers = writers
        shards = writers.map(\.shard)
        self.metrics = metrics
    }

    /// The definition now; shards and spaces never change, but for the spaces' indexes.
    public var definition: CollectionDefinition { state.withLock { $0 } }

    func update(_ definition: CollectionDefinition) {
        state.withLock { $0 = definition }
        for writer in writers {
            for (space, wanted) in zip(writer.shard.spaces, definition.spaces) { space.maintained.want(wanted.index) }
            writer.tailChanged()
            writer.wakeLinker()
        }
    }

    /// The shard that holds a point, for ever: XXH3 of its canonical bytes modulo the number of shards.
    public func shardNumber(of id: PointID) -> Int {
        shards.count == 1 ? 0 : Int(id.encoded.withUnsafeBytes { checksum64($0) } % UInt64(shards.count))
    }

    /// The last commits applied.
    public var positions: [ShardPosition] {
        shards.map { ShardPosition(shard: $0.id.shard, position: $0.position) }
    }

    // MARK: Writing

    /// The answer to a write.
    public struct WriteResult: Sendable {
        public var outcomes: [WriteOutcome]
        public var positions: [ShardPosition]
        public var replayed: Bool
    }

    /// Commits operations, atomically in each shard. `reply` is called once, from any thread, when the durability is met.
    ///
    /// - Parameters:
    ///   - operations: checked against the definition by the caller.
    ///   - stream: set where the operations are items of a resumable stream.
    ///   - context: a serialised `kith.v1.RequestContext`, kept with the commits.
    ///   - purpose: what the operations are together.
    ///   - byteCount: what the request weighs in a queue.
    ///   - owner: keeps the bytes that operations view.
    public func write(
        _ operations: [KithCore.Operation], requestID: String = "", stream: StreamProgress? = nil,
        context: OwnedBytes? = nil, purpose: WritePurpose = .request, durability: Durability?, byteCount: Int,
        owner: any AnyObject & Sendable, reply: @escaping @Sendable (Result<WriteResult, KithError>) -> Void
    ) {
        let time = Int64(Date().timeIntervalSince1970 * 1e6)
        let definition = definition
        let durability = durability ?? definition.durability
        let redaction = PayloadRedaction(definition.events)
        metrics.writes.add()
        if writers.count == 1 {
            let command = Command(
                operations: operations, requestID: requestID, stream: stream, context: context,
                schemaVersion: definition.revision, redaction: redaction, purpose: purpose, time: time, byteCount: byteCount,
                owner: owner)
            writers[0].append(command, durability: durability) { result in
                reply(
                    result.map {
                        WriteResult(
                            outcomes: $0.outcomes, positions: [ShardPosition(shard: 0, position: $0.position)],
                            replayed: $0.replayed)
                    })
            }
            return
        }
        // Shards commit apart: what one of them would refuse is not sent to the others.
        if purpose != .items {
            do throws(KithError) {
                if let held = try heldPoint(among: operations.map(\.id)) {
                    metrics.heldWrites.add()
                    return reply(.failure(.held(held.id, by: held.hold)))
                }
            } catch { return reply(.failure(error)) }
        }
        var places = [[Int]](repeating: [], count: writers.count)
        for (place, operation) in operations.enumerated() { places[shardNumber(of: operation.id)].append(place) }
        // A stream's progress is noted in every shard, whether or not it has a part in this batch.
        let concerned = writers.indices.filter { !places[$0].isEmpty || stream != nil }
        guard !concerned.isEmpty else {
            return reply(.success(WriteResult(outcomes: [], positions: positions, replayed: false)))
        }
        let join = WriteJoin(operationCount: operations.count, parts: concerned.count, reply: reply)
        for number in concerned {
            let part = places[number]
            let command = Command(
                operations: part.map { operations[$0] }, requestID: requestID, stream: stream?.part(part), context: context,
                schemaVersion: definition.revision, redaction: redaction, purpose: purpose, time: time,
                byteCount: byteCount / concerned.count, owner: owner)
            writers[number].append(command, durability: durability) { result in
                join.add(result, shard: UInt16(number), places: part)
            }
        }
    }

    // MARK: Waiting

    /// Calls `then` once all positions are reached; at once where they are.
    ///
    /// - Returns: what a caller with a deadline gives up by: without `cancel` a wait lasts as long as it takes.
    /// - Throws: `INVALID_POSITION` where a position names no shard; `SEARCH_QUEUE_FULL` where too many wait.
    @discardableResult
    public func whenApplied(
        _ positions: [ShardPosition], _ then: @escaping @Sendable () -> Void
    ) throws(KithError) -> PositionWait {
        for (index, position) in positions.enumerated() where Int(position.shard) >= shards.count {
            throw .invalid(
                .invalidPosition, field: "min_positions[\(index)].shard",
                "there is no shard \(position.shard), the collection has \(shards.count)",
                metadata: ["shard": "\(position.shard)", "shard_count": "\(shards.count)"])
        }
        let wait = PositionWait()
        guard !positions.isEmpty else {
            then()
            return wait
        }
        let remaining = Mutex(positions.count)
        let done: @Sendable () -> Void = {
            let isLast = remaining.withLock { count in
                count -= 1
                return count == 0
            }
            if isLast { then() }
        }
        do throws(KithError) {
            for position in positions {
                let shard = shards[Int(position.shard)]
                if let token = try shard.whenApplied(position.position, done) { wait.add(shard, token) }
            }
        } catch {
            wait.cancel()
            throw error
        }
        return wait
    }
}

/// A wait for positions that may be given up.
public final class PositionWait: Sendable {
    private let tokens = Mutex<[(shard: Shard, token: UInt64)]>([])

    func add(_ shard: Shard, _ token: UInt64) { tokens.withLock { $0.append((shard, token)) } }

    /// Forgets the wait; what it was to call may be called all the same when this comes too late.
    public func cancel() {
        for (shard, token) in tokens.withLock({ $0 }) { shard.waiters.remove(token) }
    }
}

/// Joins the answers of several shards into one, in the order of the request.
private final class WriteJoin: Sendable {
    private struct State {
        var outcomes: [WriteOutcome]
        var positions: [ShardPosition] = []
        var replayed = true
        var missing: Int
        var error: KithError?
    }
    private let state: Mutex<State>
    private let reply: @Sendable (Result<Collection.WriteResult, KithError>) -> Void

    init(
        operationCount: Int, parts: Int, reply: @escaping @Sendable (Result<Collection.WriteResult, KithError>) -> Void
    ) {
        let empty = WriteOutcome(.failed)
        state = Mutex(State(outcomes: Array(repeating: empty, count: operationCount), missing: parts))
        self.reply = reply
    }

    func add(_ result: Result<CommitReply, KithError>, shard: UInt16, places: [Int]) {
        let finished = state.withLock { state -> Result<Collection.WriteResult, KithError>? in
            switch result {
            case .success(let answer):
                for (place, outcome) in zip(places, answer.outcomes) { state.outcomes[place] = outcome }
                state.positions.append(ShardPosition(shard: shard, position: answer.position))
                state.replayed = state.replayed && answer.replayed
            case .failure(let error): state.error = state.error ?? error
            }
            state.missing -= 1
            guard state.missing == 0 else { return nil }
            let positions = state.positions.sorted { $0.shard < $1.shard }
            if var error = state.error {
                // Shards commit apart: say which did, so that a retry with the same request_id makes the rest.
                error.metadata["committed_shards"] = positions.map { "\($0.shard)" }.joined(separator: ",")
                return .failure(error)
            }
            return .success(
                Collection.WriteResult(outcomes: state.outcomes, positions: positions, replayed: state.replayed))
        }
        if let finished { reply(finished) }
    }
}
