import Glibc

/// A TCP connection to a port of loopback, for what speaks no gRPC.
public final class PlainConnection {
    private let descriptor: Int32

    public init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = LoopbackListener.address(port: UInt16(port))
        let descriptor = descriptor
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { throw ChildProcess.Failure(description: "nobody listens on port \(port): errno \(errno)") }
    }

    deinit { close(descriptor) }

    /// Sends the text, and answers all that comes until the other end closes.
    public func ask(_ text: String) -> String {
        guard Array(text.utf8).withUnsafeBytes({ sendAll($0, to: descriptor) }) else { return "" }
        var answer: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = recv(descriptor, &part, part.count, 0), count > 0 { answer += part[..<count] }
        return String(decoding: answer, as: UTF8.self)
    }
}
