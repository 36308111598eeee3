import Foundation
import Testing

/// A TCP connection that speaks just enough HTTP/2 to start a call, and then can break off without a word.
final class RawConnection {
    private let descriptor: Int32

    init(port: Int32) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(connected == 0)
    }

    /// Starts a unary call with an empty request.
    func startCall(_ method: String) throws {
        let settings = frame(type: 4, flags: 0, stream: 0, [])
        let fields = [
            (":method", "POST"), (":scheme", "http"), (":path", method), (":authority", "test"),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ]
        let headers = frame(type: 1, flags: 0x4, stream: 1, fields.flatMap { [0x00] + text($0.0) + text($0.1) })
        let data = frame(type: 0, flags: 0x1, stream: 1, [0, 0, 0, 0, 0])
        let bytes = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + settings + headers + data
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
    }

    func breakOff() {
        close(descriptor)
    }

    private func frame(type: UInt8, flags: UInt8, stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF), type, flags, 0, 0, 0, stream] + payload
    }

    /// An HPACK string, not compressed.
    private func text(_ text: String) -> [UInt8] {
        [UInt8(text.utf8.count)] + Array(text.utf8)
    }
}
