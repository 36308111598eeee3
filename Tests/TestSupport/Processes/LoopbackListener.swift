import Foundation
import Glibc

/// Listens on a free port of loopback, until it is gone.
public final class LoopbackListener: Sendable {
    private let descriptor: Int32
    public let port: UInt16

    public init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = LoopbackListener.address(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0 && listen(descriptor, 64) == 0
            }
        }
        guard isBound else { throw ChildProcess.Failure(description: "no free port: errno \(errno)") }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Takes connections, on a thread of its own. Once.
    ///
    /// - Parameter accepted: called with each of them, which is its own to close.
    public func start(_ accepted: @escaping @Sendable (Int32) -> Void) {
        let descriptor = descriptor
        let thread = Thread {
            while case let connection = Glibc.accept(descriptor, nil, nil), connection >= 0 {
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                accepted(connection)
            }
            close(descriptor)
        }
        thread.name = "listener"
        thread.start()
    }

    static func address(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = port.bigEndian
        return address
    }
}

/// Sends all of it; answers whether the other end took it.
public func sendAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var sent = 0
    while sent < bytes.count {
        let part = send(descriptor, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
        guard part > 0 else { return false }
        sent += part
    }
    return true
}
