import KithCore
import Synchronization

/// The sending half of a stream: messages in order, one write at a time, the end after the last. Bounded by the caller.
final class StreamSender: Sendable {
    private struct State {
        var queue: [WireBuffer] = []
        var writing = false
        var broken = false
        /// Set when the stream is to end after the queue; nil inside means well.
        var ending: KithError??
        var ended = false
    }

    private enum Step {
        case wait
        case write(WireBuffer)
        case end(KithError?)
    }

    private let call: Call
    private let state = Mutex(State())

    init(_ call: Call) { self.call = call }

    /// Messages not yet taken by gRPC.
    var backlog: Int { state.withLock { $0.queue.count } }

    func send(_ message: WireBuffer) {
        proceed { state in if !state.broken, state.ending == nil { state.queue.append(message) } }
    }

    /// Ends the stream once everything is sent; the first end counts.
    func end(_ error: KithError?) {
        proceed { state in if state.ending == nil { state.ending = .some(error) } }
    }

    /// From the call's `written` callback.
    func written(_ ok: Bool) {
        proceed { state in
            state.writing = false
            if !ok { state.broken = true }
        }
    }

    /// The client is gone: nothing more can be sent.
    func abandon() {
        proceed { state in
            state.broken = true
            if state.ending == nil { state.ending = .some(KithError(.cancelled, .cancelled, "the call was cancelled")) }
        }
    }

    private func proceed(_ change: (inout State) -> Void) {
        let step = state.withLock { state -> Step in
            change(&state)
            if state.broken { state.queue.removeAll() }
            if state.writing || state.ended { return .wait }
            if !state.queue.isEmpty {
                state.writing = true
                return .write(state.queue.removeFirst())
            }
            guard let ending = state.ending else { return .wait }
            state.ended = true
            return .end(ending)
        }
        switch step {
        case .wait: break
        case .write(let message): call.write(message)
        case .end(let error?): call.fail(error)
        case .end(nil): call.finish()
        }
    }
}
