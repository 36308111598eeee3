import Foundation
import Glibc

/// A TCP proxy on loopback: a network that a test can cut, make silent or lossy, and mend.
public final class NetworkProxy: @unchecked Sendable {
    private struct State {
        var isCut = false
        var isSilent = false
        var losesAnswers = false
        /// Both ends of every connection.
        var sockets: Set<Int32> = []
        var target: UInt16 = 0
    }

    // Guards the state; broadcast when it changes.
    private let condition = NSCondition()
    private var state = State()
    private let listener: LoopbackListener

    public init() throws {
        listener = try LoopbackListener()
        listener.start { [weak self] connection in
            guard let self else { return _ = close(connection) }
            self.connect(connection)
        }
    }

    /// What to connect to.
    public var port: UInt16 { listener.port }

    /// Where connections go on to, on loopback.
    public var target: UInt16 {
        get { condition.withLock { state.target } }
        set { condition.withLock { state.target = newValue } }
    }

    /// Ends every connection, and each new one at once.
    public func cut() {
        condition.withLock {
            state.isCut = true
            endConnections()
        }
    }

    /// Connections stay, and nothing goes through them.
    public func silence() { condition.withLock { state.isSilent = true } }

    /// What the target answers never arrives.
    public func loseAnswers() { condition.withLock { state.losesAnswers = true } }

    public func mend() {
        condition.withLock {
            // Connections that have lost something are of no use any more.
            if state.losesAnswers { endConnections() }
            (state.isCut, state.isSilent, state.losesAnswers) = (false, false, false)
            condition.broadcast()
        }
    }

    private func endConnections() {
        for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        condition.broadcast()
    }

    private func connect(_ client: Int32) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = LoopbackListener.address(port: target)
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
        for (from, to, isAnswer) in [(client, server, false), (server, client, true)] {
            ends.enter()
            Thread.detachNewThread { [weak self] in
                self?.pump(from, to, isAnswer: isAnswer)
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

    private func pump(_ from: Int32, _ to: Int32, isAnswer: Bool) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(from, &buffer, buffer.count), count > 0 {
            let isLost = condition.withLock {
                while state.isSilent, !state.isCut { condition.wait() }
                return isAnswer && state.losesAnswers
            }
            if isLost { continue }
            guard buffer.withUnsafeBytes({ sendAll(.init(rebasing: $0[..<count]), to: to) }) else { return }
        }
    }
}
