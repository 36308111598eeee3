import CGRPCShim
import Dispatch
import Synchronization
import Testing

/// What the test server does with a call of each method.
enum Behaviour {
    /// Unary: answers with the request.
    static let echo = "/kith.v1.PointService/Upsert"
    /// Unary: waits until the test releases it, or it is cancelled.
    static let hold = "/kith.v1.PointService/Get"
    /// Unary: ends with NOT_FOUND and details.
    static let fail = "/kith.v1.PointService/Count"
    /// Unary: answers with the milliseconds left and the peer, separated by a space.
    static let describe = "/kith.v1.PointService/Delete"
    /// One request, its bytes ten times as answers.
    static let repeated = "/kith.v1.PointService/Export"
    /// One request, answers without end.
    static let endless = "/kith.v1.ChangeService/Subscribe"
    /// Both ways: each message comes back.
    static let echoStream = "/kith.v1.PointService/UpsertStream"
}

/// One open call of the server.
private final class OpenCall: Sendable {
    let behaviour: String
    let remaining = Mutex(10)

    init(behaviour: String) {
        self.behaviour = behaviour
    }
}

/// A call that waits; whoever takes it from the list must end it.
private struct HeldCall: @unchecked Sendable {
    let call: OpaquePointer
}

/// A server behind the C API, for tests.
///
/// Apart from its handler, so that a callback never holds the last reference to it: stopping waits for callbacks.
final class EchoServer: @unchecked Sendable {
    let handler = EchoHandler()
    // Set once, in init.
    private var server: OpaquePointer?

    init(port: Int32 = 0, maxMessageBytes: Int = 1 << 20, reflection: Bool = false) throws(StartError) {
        var error: OpaquePointer?
        server = "127.0.0.1:\(port)".withCString { address in
            var options = KithServerOptions(
                address: address, max_message_bytes: maxMessageBytes, max_concurrent_streams: 0, reflection: reflection)
            return kith_server_start(&options, handler.callbacks, &error)
        }
        if server == nil {
            throw StartError(text: takeText(error) ?? "")
        }
    }

    deinit {
        stop(graceMilliseconds: 0)
        kith_server_free(server)
    }

    struct StartError: Error {
        let text: String
    }

    var port: Int32 { server.map(kith_server_port) ?? 0 }
    var address: String { "127.0.0.1:\(port)" }

    func stop(graceMilliseconds: Int64) {
        if let server {
            kith_server_stop(server, graceMilliseconds)
        }
    }
}

/// Does what `Behaviour` says, and counts.
final class EchoHandler: Sendable {
    private struct State {
        var held: [HeldCall] = []
        var done = 0
        var cancelled = 0
    }

    private let state = Mutex(State())
    /// Signalled for each call that is held, cancelled or done.
    let held = DispatchSemaphore(value: 0)
    let cancelled = DispatchSemaphore(value: 0)
    let done = DispatchSemaphore(value: 0)

    var doneCount: Int { state.withLock(\.done) }
    var cancelledCount: Int { state.withLock(\.cancelled) }

    /// Valid as long as the handler.
    var callbacks: KithServerCallbacks {
        KithServerCallbacks(
            context: Unmanaged.passUnretained(self).toOpaque(),
            started: { context, call, method in EchoHandler.from(context).started(call, method) },
            received: { context, call, tag, ok in EchoHandler.from(context).received(call, OpenCall.from(tag), ok) },
            written: { context, call, tag, ok in EchoHandler.from(context).written(call, OpenCall.from(tag), ok) },
            cancelled: { context, call, tag in EchoHandler.from(context).cancelled(call, OpenCall.from(tag)) },
            done: { context, tag in EchoHandler.from(context).finished(tag) })
    }

    /// Answers every held call.
    func release() {
        for each in takeHeld(where: { _ in true }) {
            if let buffer = kith_encode_stream_credit(1) {
                kith_call_reply(each.call, buffer)
            }
        }
    }

    private func takeHeld(where matches: (OpaquePointer) -> Bool) -> [HeldCall] {
        state.withLock { state in
            let taken = state.held.filter { matches($0.call) }
            state.held.removeAll { matches($0.call) }
            return taken
        }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> EchoHandler {
        Unmanaged<EchoHandler>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue()
    }

    private func started(_ call: OpaquePointer, _ method: Int32) -> UnsafeMutableRawPointer {
        let open = OpenCall(behaviour: String(cString: kith_method_name(method)))
        switch open.behaviour {
        case Behaviour.echo: kith_call_reply(call, copyOfRequest(call))
        case Behaviour.hold:
            state.withLock { $0.held.append(HeldCall(call: call)) }
            held.signal()
        case Behaviour.fail:
            let memory = ViewMemory()
            kith_call_finish(call, 5, memory.text("nothing é here"), memory.bytes([1, 2, 0, 3]))
        case Behaviour.describe:
            let text = "\(kith_call_remaining_milliseconds(call)) \(kith_call_peer(call).text)"
            let memory = ViewMemory()
            kith_call_reply(call, kith_encode_stream_go_away(memory.text(text), 0).unsafelyUnwrapped)
        case Behaviour.repeated, Behaviour.endless: kith_call_write(call, copyOfRequest(call))
        case Behaviour.echoStream: kith_call_read(call)
        default: kith_call_finish(call, 12, KithBytes(), KithBytes())
        }
        return Unmanaged.passRetained(open).toOpaque()
    }

    private func received(_ call: OpaquePointer, _ open: OpenCall, _ ok: Bool) {
        ok ? kith_call_write(call, copyOfRequest(call)) : kith_call_finish(call, 0, KithBytes(), KithBytes())
    }

    private func written(_ call: OpaquePointer, _ open: OpenCall, _ ok: Bool) {
        let more: Bool
        switch open.behaviour {
        case Behaviour.repeated:
            more = open.remaining.withLock { remaining in
                remaining -= 1
                return remaining > 0
            }
        default: more = true
        }
        if !ok || !more {
            kith_call_finish(call, ok ? 0 : 1, KithBytes(), KithBytes())
        } else if open.behaviour == Behaviour.echoStream {
            kith_call_read(call)
        } else {
            kith_call_write(call, copyOfRequest(call))
        }
    }

    private func cancelled(_ call: OpaquePointer, _ open: OpenCall) {
        #expect(kith_call_is_cancelled(call))
        for each in takeHeld(where: { $0 == call }) {
            kith_call_finish(each.call, 1, KithBytes(), KithBytes())
        }
        state.withLock { $0.cancelled += 1 }
        cancelled.signal()
    }

    private func finished(_ tag: UnsafeMutableRawPointer?) {
        tag.map { Unmanaged<OpenCall>.fromOpaque($0).release() }
        state.withLock { $0.done += 1 }
        done.signal()
    }

    /// The request sent back: a field of unknown number, so that any bytes fit into a buffer that the API makes.
    private func copyOfRequest(_ call: OpaquePointer) -> OpaquePointer {
        // A SubscribeResponse of one event is the event behind a tag and a length; clients take it apart again.
        var request = kith_call_request(call)
        return kith_encode_subscribe_response(&request, 1, nil, 0).unsafelyUnwrapped
    }
}

extension OpenCall {
    fileprivate static func from(_ tag: UnsafeMutableRawPointer?) -> OpenCall {
        Unmanaged<OpenCall>.fromOpaque(tag.unsafelyUnwrapped).takeUnretainedValue()
    }
}

/// What the server answers to a request that it sends back.
func echoed(_ request: [UInt8]) -> [UInt8]? {
    withBytes(request) { bytes in
        var bytes = bytes
        return take(kith_encode_subscribe_response(&bytes, 1, nil, 0))
    }
}
