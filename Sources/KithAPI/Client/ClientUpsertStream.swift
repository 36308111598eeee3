import CGRPCShim
import Foundation
public import KithCore

/// Writes a stream of operations, as fast as the server grants credit; they are acknowledged in ranges.
///
/// One thread sends; acknowledgements come on a thread of the stream's own.
public final class ClientUpsertStream: @unchecked Sendable {
    /// Called in order of sequence, errors of items before the acknowledgement that covers them.
    public struct Handlers: Sendable {
        /// All items up to this one are committed, but for those that failed.
        public var acknowledged: @Sendable (_ sequence: UInt64) -> Void
        /// An item was not done; the stream goes on.
        public var failed: @Sendable (_ sequence: UInt64, _ error: KithError) -> Void

        /// Both are called on the stream's thread: they must not wait for it.
        public init(
            acknowledged: @escaping @Sendable (UInt64) -> Void, failed: @escaping @Sendable (UInt64, KithError) -> Void
        ) {
            self.acknowledged = acknowledged
            self.failed = failed
        }
    }

    private let stream: MessageStream
    private let handlers: Handlers
    /// Held over a write: a stream is finished between writes only.
    private let writing = NSLock()
    /// Guards everything below, and tells of its changes.
    private let condition = NSCondition()
    private var credit: UInt64 = 0
    private var opened: UInt64?
    private var hasEnded = false
    private var failure: KithError?
    private var goAway: String?
    private var lastSent: UInt64 = 0
    private var lastAcknowledged: UInt64 = 0

    /// Opens the stream and waits for the server's first credit.
    ///
    /// - Parameter streamID: where not empty, names the stream for resuming: sequences go on after `resumedAfter`.
    public init(
        _ client: KithClient, collection: String, streamID: String = "", durability: Durability? = nil, handlers: Handlers
    ) throws(KithError) {
        self.handlers = handlers
        stream = try MessageStream(client, "/kith.v1.PointService/UpsertStream")
        let open = try ViewArena.message { arena in
            var view = KithUpsertStreamView()
            view.kind = KITH_STREAM_OPEN
            view.collection = arena.bytes(collection)
            view.stream_id = arena.bytes(streamID)
            view.durability = Int32(durability?.rawValue ?? 0)
            return kith_encode_upsert_stream_request(&view)
        }
        Thread(named: "kith-upserts") { [self] in read() }.start()
        write(open)
        lastSent = try wait { $0.opened }
        resumedAfter = lastSent
    }

    /// The last item that an earlier stream of this id had committed; 0 for a new one.
    public private(set) var resumedAfter: UInt64 = 0

    /// Sends one operation, waiting for credit where there is none. Answers its sequence number.
    ///
    /// - Throws: what the stream ended with.
    @discardableResult
    public func send(_ operation: ClientOperation) throws(KithError) -> UInt64 {
        lastSent = try wait { stream in
            guard stream.credit > 0 else { return nil }
            stream.credit -= 1
            return stream.lastSent + 1
        }
        let sequence = lastSent
        let item = try ViewArena.message { arena in
            var view = KithUpsertStreamView()
            view.kind = KITH_STREAM_ITEM
            view.sequence = sequence
            view.operation = arena.operation(operation)
            return kith_encode_upsert_stream_request(&view)
        }
        write(item)
        return sequence
    }

    /// Asks for the acknowledgement of everything sent, and waits for it.
    public func flush() throws(KithError) {
        try control(KITH_STREAM_FLUSH)
        let last = lastSent
        _ = try wait { $0.lastAcknowledged >= last ? last : nil }
    }

    /// Ends the stream; returns when everything sent is acknowledged.
    public func close() throws(KithError) {
        try control(KITH_STREAM_CLOSE)
        stream.writesDone()
        condition.lock()
        while !hasEnded { condition.wait() }
        let ended = failure
        let complete = lastAcknowledged >= lastSent
        condition.unlock()
        if let ended { throw ended }
        if !complete { throw cutOff() }
    }

    /// Gives the stream up: what is not acknowledged may or may not be done.
    public func cancel() { stream.cancel() }

    // MARK: -

    private func control(_ kind: KithUpsertStreamKind) throws(KithError) {
        var view = KithUpsertStreamView()
        view.kind = kind
        write(try WireBuffer(kith_encode_upsert_stream_request(&view)))
    }

    /// A broken stream shows at the next wait.
    private func write(_ message: WireBuffer) {
        writing.lock()
        defer { writing.unlock() }
        condition.lock()
        let isOver = hasEnded
        condition.unlock()
        if !isOver { _ = stream.write(message) }
    }

    /// Waits until `ready` answers; called with the lock held.
    private func wait(_ ready: (ClientUpsertStream) -> UInt64?) throws(KithError) -> UInt64 {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if hasEnded { throw failure ?? cutOff() }
            if let answer = ready(self) { return answer }
            condition.wait()
        }
    }

    private func cutOff() -> KithError {
        KithError(.unavailable, .shuttingDown, "the server ended the stream: \(goAway ?? "no reason given")")
    }

    // MARK: The reading thread

    private func read() {
        var trouble: KithError?
        while trouble == nil, let answer = stream.read() {
            do throws(KithError) { try take(answer) } catch { trouble = error }
        }
        if trouble != nil { stream.cancel() }
        writing.lock()
        do throws(KithError) { try stream.finish() } catch { trouble = trouble ?? error }
        condition.lock()
        failure = trouble
        hasEnded = true
        condition.broadcast()
        condition.unlock()
        writing.unlock()
    }

    private func take(_ answer: WireBuffer) throws(KithError) {
        var view = KithStreamAnswerView()
        let message = try WireMessage(answer: answer) { kith_decode_upsert_stream_response($0, &view) }
        defer { withExtendedLifetime(message) {} }
        switch view.kind {
        case KITH_ANSWER_OPENED:
            update {
                $0.credit += UInt64(view.credit)
                $0.opened = view.sequence_to
                $0.lastAcknowledged = view.sequence_to
            }
        case KITH_ANSWER_CREDIT: update { $0.credit += UInt64(view.credit) }
        case KITH_ANSWER_ACK:
            handlers.acknowledged(view.sequence_to)
            update { $0.lastAcknowledged = view.sequence_to }
        case KITH_ANSWER_ITEM_ERROR: handlers.failed(view.sequence_to, KithError(status: view.text))
        case KITH_ANSWER_GO_AWAY:
            let reason = view.text.text
            update { $0.goAway = reason }
        default: break
        }
    }

    private func update(_ change: (ClientUpsertStream) -> Void) {
        condition.lock()
        change(self)
        condition.broadcast()
        condition.unlock()
    }
}
