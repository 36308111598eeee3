import CGRPCShim
import Dispatch
import Foundation

/// How a call ended.
struct CallEnd: Equatable {
    var code: Int32
    var message: String
    var details: [UInt8]
    var response: [UInt8]?

    init(_ status: KithCallStatus, response: OpaquePointer? = nil) {
        code = status.code
        message = takeText(status.message) ?? ""
        details = take(status.details) ?? []
        self.response = take(response)
    }
}

/// A connection of the blocking client.
final class EchoClient: @unchecked Sendable {
    let channel: OpaquePointer

    init(_ address: String, maxMessageBytes: Int = 64 << 20) {
        channel = kith_channel_open(address, maxMessageBytes).unsafelyUnwrapped
    }

    deinit {
        kith_channel_free(channel)
    }

    func call(_ method: String, _ request: [UInt8] = [], timeoutMilliseconds: Int64 = 20_000) -> CallEnd {
        withBytes(request) { bytes in
            var response: OpaquePointer?
            let status = kith_channel_call(channel, method, bytes, timeoutMilliseconds, &response)
            return CallEnd(status, response: response)
        }
    }

    func open(_ method: String, timeoutMilliseconds: Int64 = 20_000) -> ClientStream {
        ClientStream(stream: kith_stream_open(channel, method, timeoutMilliseconds).unsafelyUnwrapped)
    }
}

final class ClientStream: @unchecked Sendable {
    private let stream: OpaquePointer

    init(stream: OpaquePointer) {
        self.stream = stream
    }

    deinit {
        kith_stream_free(stream)
    }

    func write(_ message: [UInt8]) -> Bool { withBytes(message) { kith_stream_write(stream, $0) } }
    func writesDone() { kith_stream_writes_done(stream) }
    func read() -> [UInt8]? { take(kith_stream_read(stream)) }
    func cancel() { kith_stream_cancel(stream) }
    func finish() -> CallEnd { CallEnd(kith_stream_finish(stream)) }
}

/// Runs `body` on threads of its own, which may block, and waits for all.
func inThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for number in 0..<count {
        group.enter()
        Thread.detachNewThread {
            body(number)
            group.leave()
        }
    }
    group.wait()
}
