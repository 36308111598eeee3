import CGRPCShim
@preconcurrency import Dispatch
import KithCollections
import KithCore
import KithEvents
import KithStorage
import Synchronization

/// Subscribe: reads the same log as the relay, sends the same message. One message is on its way at a time, so a slow client
/// holds back nobody, and nothing piles up.
final class SubscribeStreamHandler: CallHandler, DrainableStream {
    private static let snapshotPage = 500
    private static let defaultHeartbeat: UInt32 = 5_000
    private static let shortestHeartbeat: UInt32 = 100

    private struct Snapshot {
        var moment: DatabaseSnapshot?
        var cursor: Collection.ScrollCursor?
    }

    private let engine: Engine
    private let sender: StreamSender
    private let collection: Collection
    private let heartbeat: DispatchTimeInterval
    private let vectors: EventVectors?
    private let queue = DispatchQueue(label: "kith.subscribe")
    /// A pump is scheduled and will see whatever was committed before.
    private let isWoken = Mutex(false)
    // Touched on the queue only, from here on.
    private nonisolated(unsafe) var positions: [LogPosition]
    private nonisolated(unsafe) var snapshot: Snapshot?
    /// The shard that is read first, the next time: none waits for another to have nothing left.
    private nonisolated(unsafe) var turn = 0
    private nonisolated(unsafe) var outgoing = EventQueue()
    private nonisolated(unsafe) var writing = false
    private nonisolated(unsafe) var finished = false
    private nonisolated(unsafe) var heartbeatIsDue = false
    private nonisolated(unsafe) var timer: (any DispatchSourceTimer)?
    private nonisolated(unsafe) var tokens: [UInt64] = []
    private nonisolated(unsafe) let encoder: ChangeEventEncoder

    init(_ call: Call, _ engine: Engine) throws(KithError) {
        let request = try JSONCall.decode(SubscribeRequest.self, "kith.v1.SubscribeRequest", call.message)
        self.engine = engine
        collection = try engine.catalogue.collection(request.collection)
        heartbeat = try SubscribeStreamHandler.heartbeat(request.heartbeatMilliseconds)
        vectors = request.vectors ? .full : nil
        encoder = ChangeEventEncoder(cluster: engine.cluster)
        sender = StreamSender(call)
        let start = try SubscribeStreamHandler.start(request, collection)
        positions = start.positions
        snapshot = start.snapshot
        try engine.streams.add(self)
        queue.async { self.begin() }
    }

    // MARK: The request

    private static func heartbeat(_ wanted: UInt32) throws(KithError) -> DispatchTimeInterval {
        if wanted == 0 { return .milliseconds(Int(defaultHeartbeat)) }
        guard (shortestHeartbeat...UInt32(Limits.heartbeatMilliseconds)).contains(wanted) else {
            throw .invalid(
                .invalidValue, field: "heartbeat_milliseconds",
                "is \(wanted), it must be \(shortestHeartbeat) to \(Limits.heartbeatMilliseconds)",
                metadata: ["value": "\(wanted)", "limit": "\(Limits.heartbeatMilliseconds)"])
        }
        return .milliseconds(Int(wanted))
    }

    private static func start(
        _ request: SubscribeRequest, _ collection: Collection
    ) throws(KithError) -> (positions: [LogPosition], snapshot: Snapshot?) {
        let wanted = request.positions ?? []
        let start = try request.start.value(WireEnums.subscribeStart, field: "start") ?? (wanted.isEmpty ? .now : .position)
        switch start {
        case .now: return (collection.shards.map(\.lastPosition), nil)
        case .snapshot:
            let moment = try collection.moment()
            return (moment.positions.map(\.position), Snapshot(moment: moment.snapshot, cursor: Collection.ScrollCursor()))
        case .position:
            var positions = collection.shards.map { $0.firstPosition - 1 }
            for (index, message) in wanted.enumerated() {
                let position = try message.position(field: "positions[\(index)]")
                guard Int(position.shard) < positions.count else {
                    throw .invalid(
                        .invalidPosition, field: "positions[\(index)].shard", "there is no shard \(position.shard)",
                        metadata: ["shard": "\(position.shard)"])
                }
                let last = collection.shards[Int(position.shard)].position
                guard position.position <= last else {
                    throw KithError(
                        .outOfRange, .invalidPosition,
                        "positions[\(index)].position: is \(position.position), the last commit is \(last)",
                        metadata: ["position": "\(position.position)", "last_position": "\(last)"],
                        violations: [.init(field: "positions[\(index)].position", description: "the last commit is \(last)")])
                }
                positions[Int(position.shard)] = position.position
            }
            return (positions, nil)
        }
    }

    // MARK: Callbacks

    func written(_ ok: Bool) {
        sender.written(ok)
        queue.async { [self] in
            writing = false
            if ok { pump() } else { finish(nil) }
        }
    }

    func cancelled() {
        sender.abandon()
        queue.async { self.finish(nil) }
    }

    func drain() {
        queue.async { self.finish(KithError(.unavailable, .shuttingDown, "the server is shutting down")) }
    }

    /// From writers' threads: only signals.
    private func wake() {
        let isFirst = isWoken.withLock { woken in
            defer { woken = true }
            return !woken
        }
        if isFirst {
            queue.async { [self] in
                isWoken.withLock { $0 = false }
                pump()
            }
        }
    }

    // MARK: The pump, on the queue

    private func begin() {
        guard !finished else { return }
        for shard in collection.shards { tokens.append(shard.observeCommits { [weak self] in self?.wake() }) }
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + heartbeat, repeating: heartbeat)
        timer.setEventHandler { [weak self] in
            self?.heartbeatIsDue = true
            self?.pump()
        }
        timer.activate()
        self.timer = timer
        pump()
    }

    private func pump() {
        guard !writing, !finished else { return }
        do throws(KithError) {
            while outgoing.isEmpty, let snapshot {
                guard let cursor = snapshot.cursor else {
                    // Says where the stream goes on.
                    self.snapshot = nil
                    return send(try heartbeatMessage())
                }
                try readPage(from: cursor, at: snapshot.moment)
            }
            if outgoing.isEmpty { try readCommits() }
            if !outgoing.isEmpty {
                send(try outgoing.nextMessage())
            } else if heartbeatIsDue {
                heartbeatIsDue = false
                try checkCollection()
                send(try heartbeatMessage())
            }
        } catch { finish(error) }
    }

    /// - Throws: `COLLECTION_NOT_FOUND` once it was deleted: its log will say nothing more.
    private func checkCollection() throws(KithError) {
        let name = collection.definition.name
        let now = try engine.catalogue.collection(name)
        if now !== collection {
            throw KithError(
                .notFound, .collectionNotFound, "collection: '\(name)' was deleted, and made again",
                metadata: ["collection": name])
        }
    }

    private func send(_ message: WireBuffer) {
        writing = true
        sender.send(message)
    }

    private func heartbeatMessage() throws(KithError) -> WireBuffer {
        let places = positions.enumerated().map { KithShardPosition(shard: UInt32($0), position: $1) }
        return try WireBuffer(kith_encode_subscribe_response(nil, 0, places, places.count))
    }

    /// Takes up the events of the next commits, about a message full, and moves the positions behind them.
    private func readCommits() throws(KithError) {
        let definition = collection.definition
        let count = collection.shards.count
        defer { turn = (turn + 1) % count }
        for number in (0..<count).map({ (turn + $0) % count }) where outgoing.byteCount < EventQueue.messageBytes {
            let shard = collection.shards[number]
            positions[number] = try shard.forEachCommit(after: positions[number]) { commit, _ throws(KithError) in
                outgoing.append(try encoder.messages(of: commit, definition: definition, feed: shard, vectors: vectors))
                return outgoing.byteCount < EventQueue.messageBytes
            }
        }
    }

    /// Takes up one page of the snapshot as READ events.
    private func readPage(from cursor: Collection.ScrollCursor, at moment: DatabaseSnapshot?) throws(KithError) {
        let page = try collection.readCommit(
            from: cursor, limit: SubscribeStreamHandler.snapshotPage, at: moment, positions: positions)
        snapshot?.cursor = page.next
        for (shard, commit) in page.commits {
            outgoing.append(
                try encoder.messages(
                    of: commit, definition: collection.definition, feed: collection.shards[shard], vectors: vectors))
        }
    }

    // MARK: The end

    private func finish(_ error: KithError?) {
        guard !finished else { return }
        finished = true
        timer?.cancel()
        for (shard, token) in zip(collection.shards, tokens) { shard.stopObserving(token) }
        engine.streams.remove(self)
        sender.end(error)
    }
}
