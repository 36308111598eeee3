import Foundation
import Glibc

/// A TCP proxy on loopback: a network that a test can cut, or make silent, and mend.
public final class NetworkProxy: @unchecked Sendable {
    private struct State {
        var isCut = false
        var isSilent = false
        /// Both ends of every connection.
        var sockets: Set<Int32> = []
        var target: UInt16 = 0
    }

    private let listener: Int32
    public let port: UInt16
    // Guards the state; broadcast when it changes.
    private let condition = NSCondition()
    private var state = State()

    public init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = NetworkProxy.loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && getsockname(listener, $0, &size) == 0 && listen(listener, 64) == 0
            }
        }
        guard isBound else { throw ChildProcess.Failure(description: "no free port: errno \(errno)") }
        port = UInt16(bigEndian: address.sin_port)
        let thread = Thread { [weak self] in
            while let descriptor = NetworkProxy.accept(listener), let self { self.connect(descriptor) }
            close(listener)
        }
        thread.name = "proxy"
        thread.start()
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// Where connections go on to, on loopback.
    public var target: UInt16 {
        get { condition.withLock { state.target } }
        set { condition.withLock { state.target = newValue } }
    }

    /// Ends every connection, and each new one at once.
    public func cut() {
        condition.withLock {
            state.isCut = true
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
            condition.broadcast()
        }
    }

    /// Connections stay, and nothing goes through them.
    public func silence() { condition.withLock { state.isSilent = true } }

    public func mend() {
        condition.withLock {
            state.isCut = false
            state.isSilent = false
            condition.broadcast()
        }
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = port.bigEndian
        return address
    }

    private static func accept(_ listener: Int32) -> Int32? {
        let descriptor = Glibc.accept(listener, nil, nil)
        guard descriptor >= 0 else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    private func connect(_ client: Int32) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = NetworkProxy.loopback(target)
        let isThrough = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        let isOpen = condition.withLock {
            guard isThrough, !state.isCut else { return false }
            state.sockets.formUnion([client, server])
            return true
        }
        guard isOpen else {
            close(client)
            close(server)
            return
        }
        let ends = DispatchGroup()
        for (from, to) in [(client, server), (server, client)] {
            ends.enter()
            Thread.detachNewThread { [weak self] in
                self?.pump(from, to)
                // The other direction ends too.
                shutdown(from, Int32(SHUT_RDWR))
                shutdown(to, Int32(SHUT_RDWR))
                ends.leave()
            }
        }
        ends.notify(queue: .global()) { [weak self] in
            self?.condition.withLock { _ = self?.state.sockets.subtract([client, server]) }
            close(client)
            close(server)
        }
    }

    private func pump(_ from: Int32, _ to: Int32) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(from, &buffer, buffer.count), count > 0 {
            condition.withLock { while state.isSilent, !state.isCut { condition.wait() } }
            var sent = 0
            while sent < count {
                let part = buffer.withUnsafeBytes { send(to, $0.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL)) }
                guard part > 0 else { return }
                sent += part
            }
        }
    }
}
