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

    /// The definition now; spaces and shards never change.
    public var definition: CollectionDefinition { state.withLock { $0 } }

    func update(_ definition: CollectionDefinition) { state.withLock { $0 = definition } }

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
    ///   - byteCount: what the request weighs in a queue.
    ///   - owner: keeps the bytes that operations view.
    public func write(
        _ operations: [KithCore.Operation], requestID: String, durability: Durability?, byteCount: Int,
        owner: any AnyObject & Sendable, reply: @escaping @Sendable (Result<WriteResult, KithError>) -> Void
    ) {
        let time = Int64(Date().timeIntervalSince1970 * 1e6)
        let durability = durability ?? definition.durability
        metrics.writes.add()
        if writers.count == 1 {
            let command = Command(
                operations: operations, requestID: requestID, time: time, byteCount: byteCount, owner: owner)
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
        var parts: [Int: (operations: [KithCore.Operation], places: [Int])] = [:]
        for (place, operation) in operations.enumerated() {
            parts[shardNumber(of: operation.id), default: ([], [])].operations.append(operation)
            parts[shardNumber(of: operation.id)]?.places.append(place)
        }
        let join = WriteJoin(operationCount: operations.count, parts: parts.count, reply: reply)
        for (number, part) in parts {
            let command = Command(
                operations: part.operations, requestID: requestID, time: time, byteCount: byteCount / parts.count,
                owner: owner)
            writers[number].append(command, durability: durability) { result in
                join.add(result, shard: UInt16(number), places: part.places)
            }
        }
    }

    // MARK: Waiting

    /// Calls `then` once all positions are reached. Answers at once where a position names no shard.
    ///
    /// - Returns: whether `then` was called already, or is to come.
    public func whenApplied(_ positions: [ShardPosition], _ then: @escaping @Sendable () -> Void) throws(KithError) {
        for (index, position) in positions.enumerated() where Int(position.shard) >= shards.count {
            throw .invalid(
                .invalidPosition, field: "min_positions[\(index)].shard",
                "there is no shard \(position.shard), the collection has \(shards.count)",
                metadata: ["shard": "\(position.shard)", "shard_count": "\(shards.count)"])
        }
        guard !positions.isEmpty else { return then() }
        let remaining = Mutex(positions.count)
        let done: @Sendable () -> Void = {
            let isLast = remaining.withLock { count in
                count -= 1
                return count == 0
            }
            if isLast { then() }
        }
        for position in positions { shards[Int(position.shard)].whenApplied(position.position, done) }
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
