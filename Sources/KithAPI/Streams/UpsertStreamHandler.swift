import CGRPCShim
import Dispatch
import KithCollections
import KithCore
import Synchronization

/// UpsertStream: items gather while a batch is being committed, and go together as the next one; an Ack covers each batch.
///
/// All state is touched on one queue. Credit: a client may have `Limits.streamCredit` items unacknowledged.
final class UpsertStreamHandler: CallHandler, DrainableStream {
    /// Items of one batch, at most.
    private static let batchItems = 512
    /// Answers that a client may leave unread before no more of its items are read.
    private static let unreadAnswers = 64

    private struct Item {
        var sequence: UInt64
        var operation: Operation
        var byteCount: Int
        var message: WireMessage
    }

    private struct State {
        var collection: Collection?
        var streamID = ""
        var durability: Durability?
        /// The item received last, and the last one of a finished batch.
        var received: UInt64 = 0
        var acknowledged: UInt64 = 0
        var pending: [Item] = []
        /// Items of the batch under way end here.
        var committing = false
        var closing = false
        /// The next item is read once the client has read its answers.
        var readIsHeld = false
        /// Set when the stream ends: why the client is told to go away.
        var goAway: ErrorReason?
        var finished = false
    }

    private let call: Call
    private let engine: Engine
    private let sender: StreamSender
    private let context: OwnedBytes?
    private let queue = DispatchQueue(label: "kith.upsert-stream")
    // Touched on the queue only.
    private nonisolated(unsafe) var state = State()

    init(_ call: Call, _ engine: Engine) throws(KithError) {
        self.call = call
        self.engine = engine
        sender = StreamSender(call)
        context = call.context
        try engine.streams.add(self)
        call.read()
    }

    // MARK: Callbacks

    func received(_ ok: Bool) {
        guard ok else { return queue.async { self.close() } }
        // The message is decoded here, before the next read takes its place.
        var view = KithUpsertStreamView()
        do throws(KithError) {
            try call.checkMessageSize()
            let message = try WireMessage(kith_decode_upsert_stream(call.message, &view))
            let size = call.message.size
            let received = ReceivedView(view: view)
            queue.async { self.take(received.view, message, size) }
        } catch {
            queue.async { self.fail(error) }
        }
    }

    /// A view that crosses to the queue together with its message.
    private struct ReceivedView: @unchecked Sendable {
        let view: KithUpsertStreamView
    }

    func written(_ ok: Bool) {
        sender.written(ok)
        queue.async { [self] in
            if state.readIsHeld { readOn() }
        }
    }

    func cancelled() {
        // On the queue, because an ended call must not be touched any more, and the queue may just be about to.
        queue.async { [self] in
            finish()
            sender.abandon()
        }
    }

    func drain() {
        queue.async { [self] in
            state.goAway = .shuttingDown
            state.closing = true
            proceed()
        }
    }

    // MARK: Messages

    private func take(_ view: KithUpsertStreamView, _ message: WireMessage, _ size: Int) {
        guard !state.finished else { return }
        do throws(KithError) {
            switch view.kind {
            case KITH_STREAM_OPEN: try open(view)
            case KITH_STREAM_ITEM: try add(view, message, size)
            case KITH_STREAM_FLUSH: try requireOpen()
            case KITH_STREAM_CLOSE:
                try requireOpen()
                state.closing = true
            default: throw UpsertStreamHandler.protocolError("message", "must be open, item, flush or close")
            }
            proceed()
            if !state.closing { readOn() }
        } catch { fail(error) }
    }

    /// Asks for the next message, unless answers pile up: each item makes some, and nothing else bounds them.
    private func readOn() {
        guard !state.finished else { return }
        state.readIsHeld = sender.backlog > UpsertStreamHandler.unreadAnswers
        if !state.readIsHeld { call.read() }
    }

    private func open(_ view: KithUpsertStreamView) throws(KithError) {
        guard state.collection == nil else { throw UpsertStreamHandler.protocolError("open", "came a second time") }
        guard view.stream_id.size <= Limits.requestIDBytes else {
            throw .limit(field: "open.stream_id", value: view.stream_id.size, limit: Limits.requestIDBytes, unit: "bytes")
        }
        call.audit?.concerns(view.collection.text)
        let collection = try engine.catalogue.collection(view.collection.text, field: "open.collection")
        if view.durability != 0 {
            let wanted = try WireValues.enumeration(
                view.durability, Durability.self, default: nil, field: "open.durability")
            // Waiting for links would hold up every later item of the stream.
            state.durability = wanted == .indexed ? .durable : wanted
        }
        state.collection = collection
        state.streamID = view.stream_id.text
        let last = try collection.lastItem(ofStream: state.streamID)
        state.received = last
        state.acknowledged = last
        sender.send(try WireBuffer(kith_encode_stream_opened(UInt32(Limits.streamCredit), last)))
    }

    private func requireOpen() throws(KithError) {
        if state.collection == nil { throw UpsertStreamHandler.protocolError("message", "open must come first") }
    }

    private func add(_ view: KithUpsertStreamView, _ message: WireMessage, _ size: Int) throws(KithError) {
        guard let collection = state.collection else {
            throw UpsertStreamHandler.protocolError("message", "open must come first")
        }
        guard view.sequence == state.received + 1 else {
            throw UpsertStreamHandler.protocolError("item.sequence", "is \(view.sequence), the next is \(state.received + 1)")
        }
        guard view.sequence - state.acknowledged <= UInt64(Limits.streamCredit) else {
            throw KithError(
                .resourceExhausted, .creditExceeded,
                "item.sequence: \(view.sequence - state.acknowledged) items are unacknowledged, the credit is \(Limits.streamCredit)",
                metadata: ["value": "\(view.sequence - state.acknowledged)", "limit": "\(Limits.streamCredit)"],
                violations: [.init(field: "item.sequence", description: "is beyond the credit")])
        }
        state.received = view.sequence
        do throws(KithError) {
            let operation: Operation
            do throws(KithError) {
                operation = try WireWrites(definition: collection.definition, message: message).operation(view.operation)
            } catch {
                throw error.moved { "item.operation.\(WireWrites.inBatch($0, view.operation.kind))" }
            }
            state.pending.append(
                Item(sequence: view.sequence, operation: operation, byteCount: size, message: message))
        } catch {
            // One bad item does not end the stream.
            call.audit?.refused(call, error)
            let status = WireStatus.encode(error)
            sender.send(
                try status.withBytes { (status) throws(KithError) in
                    try WireBuffer(kith_encode_stream_item_error(view.sequence, status))
                })
        }
    }

    private static func protocolError(_ field: String, _ description: String) -> KithError {
        KithError(
            .failedPrecondition, .streamProtocol, "\(field): \(description)",
            violations: [.init(field: field, description: description)])
    }

    // MARK: Batches

    /// Starts the next batch, acknowledges what needs none, or ends.
    private func proceed() {
        guard !state.committing, !state.finished else { return }
        if !state.pending.isEmpty { return commit() }
        if state.acknowledged < state.received { acknowledge(to: state.received, positions: []) }
        guard state.closing else { return }
        if let reason = state.goAway {
            let last = state.acknowledged
            let message = reason.rawValue.withKithBytes { kith_encode_stream_go_away($0, last) }
            do throws(KithError) { sender.send(try WireBuffer(message)) } catch { return fail(error) }
        }
        finish()
        sender.end(nil)
    }

    private func commit() {
        guard let collection = state.collection else { return }
        let items = Array(state.pending.prefix(UpsertStreamHandler.batchItems))
        state.pending.removeFirst(items.count)
        state.committing = true
        // Items refused on the way count as done up to the next one that waits.
        let last = state.pending.first.map { $0.sequence - 1 } ?? state.received
        let progress =
            state.streamID.isEmpty
            ? nil : StreamProgress(id: state.streamID, sequences: items.map(\.sequence), last: last)
        collection.write(
            items.map(\.operation), stream: progress, context: context, purpose: .items, durability: state.durability,
            byteCount: items.reduce(0) { $0 + $1.byteCount },
            owner: MessageList(items.map(\.message))
        ) { [self] result in
            queue.async { self.committed(items, last, result) }
        }
    }

    private func committed(_ items: [Item], _ last: UInt64, _ result: Result<Collection.WriteResult, KithError>) {
        state.committing = false
        guard !state.finished else { return }
        do throws(KithError) {
            let written = try result.get()
            var reasons: Set<ErrorReason> = []
            for (item, outcome) in zip(items, written.outcomes) {
                guard let reason = outcome.error else { continue }
                let error = KithError(
                    .failedPrecondition, reason, "item \(item.sequence) was not done: \(reason.rawValue)",
                    metadata: ["version": "\(outcome.version)"])
                if reasons.insert(reason).inserted { call.audit?.refused(call, error) }
                let status = WireStatus.encode(error)
                sender.send(
                    try status.withBytes { (status) throws(KithError) in
                        try WireBuffer(kith_encode_stream_item_error(item.sequence, status))
                    })
            }
            acknowledge(to: last, positions: written.positions)
            proceed()
        } catch { fail(error) }
    }

    private func acknowledge(to last: UInt64, positions: [ShardPosition]) {
        let from = state.acknowledged + 1
        state.acknowledged = last
        let views = positions.views
        do throws(KithError) {
            sender.send(try WireBuffer(kith_encode_stream_ack(from, last, views, views.count)))
            sender.send(try WireBuffer(kith_encode_stream_credit(UInt32(last - from + 1))))
        } catch { fail(error) }
    }

    // MARK: Ends

    private func close() {
        guard !state.finished else { return }
        state.closing = true
        proceed()
    }

    private func fail(_ error: KithError) {
        guard !state.finished else { return }
        finish()
        sender.end(error)
    }

    private func finish() {
        state.finished = true
        state.pending.removeAll()
        engine.streams.remove(self)
    }
}

/// Keeps the messages of a batch.
private final class MessageList: Sendable {
    private let messages: [WireMessage]
    init(_ messages: [WireMessage]) { self.messages = messages }
}
