import CGRPCShim
import KithCore

/// One gRPC call. Valid from its start until its handler is told that it is done.
struct Call: @unchecked Sendable {
    let handle: OpaquePointer
    /// Nil where the request is not audited.
    var audit: RequestAudit?

    /// The request, or the message that came last: good until the next read.
    var message: KithBytes { kith_call_request(handle) }
    var isCancelled: Bool { kith_call_is_cancelled(handle) }
    /// `Int64.max` without a deadline.
    var remainingMilliseconds: Int64 { kith_call_remaining_milliseconds(handle) }

    /// Whether work for this call is in vain.
    var shouldStop: Bool { isCancelled || remainingMilliseconds == 0 }

    /// - Throws: `MESSAGE_TOO_LARGE`. gRPC itself refuses only what is far too large, and cannot say why.
    func checkMessageSize() throws(KithError) {
        let size = message.size
        guard size > Limits.messageBytes else { return }
        throw .messageTooLarge("the message has \(size) bytes, the limit is \(Limits.messageBytes)", size)
    }

    /// - Parameter less: what to ask for less of.
    /// - Throws: `MESSAGE_TOO_LARGE`, where an answer of so many bytes is more than a client takes.
    static func checkAnswerSize(_ size: Int, askFewer less: String) throws(KithError) {
        guard size > Limits.messageBytes else { return }
        throw .messageTooLarge(
            "the answer would have \(size) bytes, the limit is \(Limits.messageBytes): ask for fewer \(less)", size)
    }

    /// Who calls, with what, and by which method: a serialised `kith.v1.RequestContext`, to be kept with what the call commits.
    var context: OwnedBytes? {
        let buffer = WireBuffer(owning: kith_call_context(handle))
        return withExtendedLifetime(buffer) { OwnedBytes(buffer.bytes.view.bytes) }
    }

    // MARK: Answering; each call is answered once

    func reply(_ response: WireBuffer) {
        audit?.end(self, nil)
        kith_call_reply(handle, response.take())
    }

    func fail(_ error: KithError) {
        audit?.end(self, error)
        let status = WireStatus.encode(error)
        defer { withExtendedLifetime(status) {} }
        WireStatus.text(error.message).withKithBytes { message in
            kith_call_finish(handle, error.code.rawValue, message, status.bytes)
        }
    }

    /// Ends a stream that is through.
    func finish() {
        audit?.end(self, nil)
        kith_call_finish(handle, 0, KithBytes(), KithBytes())
    }

    // MARK: Streams: one read and one write at a time

    func write(_ message: WireBuffer) { kith_call_write(handle, message.take()) }
    func read() { kith_call_read(handle) }
}

/// What a call's events are handed to. Callbacks come one after another, but for `cancelled`, which may come beside another.
protocol CallHandler: AnyObject, Sendable {
    func received(_ ok: Bool)
    func written(_ ok: Bool)
    func cancelled()
}

extension CallHandler {
    func received(_ ok: Bool) {}
    func written(_ ok: Bool) {}
    func cancelled() {}
}

extension KithError {
    /// A message over `Limits.messageBytes`, either way.
    static func messageTooLarge(_ text: String, _ size: Int) -> KithError {
        KithError(
            .resourceExhausted, .messageTooLarge, text, metadata: ["value": "\(size)", "limit": "\(Limits.messageBytes)"])
    }
}

extension WireBuffer {
    /// The same, checked to be an answer that a client takes.
    ///
    /// - Parameter less: what to ask for less of.
    func checkedAnswer(askFewer less: String) throws(KithError) -> WireBuffer {
        try Call.checkAnswerSize(bytes.size, askFewer: less)
        return self
    }
}
