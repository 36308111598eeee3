import Foundation
import Glibc
import TestSupport

/// What a webhook posts to: an HTTP endpoint behind a proxy, which may refuse, and remembers what it was sent.
final class Endpoint: @unchecked Sendable {
    /// A request, as it came.
    struct Request {
        /// Ids of its events.
        var events: [String]
        /// Whether the answer was 204.
        var isTaken: Bool
    }

    let network: NetworkProxy
    private let listener: LoopbackListener
    // Guards what follows.
    private let lock = NSLock()
    private var seen: [Request] = []
    private var refusals: [Int] = []

    init() throws {
        listener = try LoopbackListener()
        network = try NetworkProxy()
        network.target = listener.port
        listener.start { [weak self] connection in
            Thread.detachNewThread { [weak self] in
                self?.serve(connection)
                close(connection)
            }
        }
    }

    var url: String { "http://127.0.0.1:\(network.port)/" }

    /// All requests so far, in order.
    var requests: [Request] { lock.withLock { seen } }

    /// The next requests are answered with these statuses, one each.
    func refuse(_ statuses: [Int]) { lock.withLock { refusals = statuses } }

    private func serve(_ connection: Int32) {
        var bytes: [UInt8] = []
        while let request = Endpoint.read(connection, &bytes) {
            let status = lock.withLock {
                let status = refusals.isEmpty ? 204 : refusals.removeFirst()
                seen.append(Request(events: request, isTaken: status == 204))
                return status
            }
            let answer = Array("HTTP/1.1 \(status) -\r\n\(status == 204 ? "" : "content-length: 0\r\n")\r\n".utf8)
            guard answer.withUnsafeBytes({ sendAll($0, to: connection) }) else { return }
        }
    }

    /// The ids of the next request's events; nil where the connection ends first. `bytes` has what came after the last one.
    private static func read(_ connection: Int32, _ bytes: inout [UInt8]) -> [String]? {
        let end = Array("\r\n\r\n".utf8)
        var head: Int?
        while head == nil {
            head = bytes.firstRange(of: end)?.upperBound
            if head == nil, !more(connection, &bytes) { return nil }
        }
        guard let head else { return nil }
        let fields = headers(bytes[..<head])
        let size = fields["content-length"].flatMap(Int.init) ?? 0
        while bytes.count < head + size { if !more(connection, &bytes) { return nil } }
        defer { bytes.removeFirst(head + size) }
        // CloudEvents' binary mode has the id in a header, the batched mode a list of events.
        if let id = fields["ce-id"]?.removingPercentEncoding { return [id] }
        let batch = try? JSONDecoder().decode(JSON.self, from: Data(bytes[head..<head + size]))
        return batch.map { $0.list.map { $0["id"].string ?? "?" } } ?? ["?"]
    }

    private static func headers(_ bytes: ArraySlice<UInt8>) -> [String: String] {
        let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n").dropFirst()
        return Dictionary(
            lines.compactMap { line in
                line.firstIndex(of: ":").map {
                    (line[..<$0].lowercased(), line[line.index(after: $0)...].trimmingCharacters(in: .whitespaces))
                }
            }, uniquingKeysWith: { first, _ in first })
    }

    private static func more(_ connection: Int32, _ bytes: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = Glibc.read(connection, &buffer, buffer.count)
        guard count > 0 else { return false }
        bytes += buffer[..<count]
        return true
    }
}
