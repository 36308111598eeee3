import Foundation
import TestSupport
import Testing

/// An HTTPS endpoint in a process of its own (`receiver.py`), with a certificate of its own.
final class Receiver: @unchecked Sendable {
    /// One request, as the endpoint saw it.
    struct Request: Decodable {
        struct Event: Decodable {
            var id: String
            var type: String
            var subject: String
            var data: JSON

            /// `cluster/collection.shard/position/index`, the last three.
            var place: (shard: String, position: Int, index: Int) {
                let parts = id.split(separator: "/")
                return (String(parts[1]), Int(parts[2]) ?? -1, Int(parts[3]) ?? -1)
            }
        }
        var path: String
        var message: String
        var attempt: Int
        /// Indices of the secrets that have signed it.
        var signed: [Int]
        var time: Double
        var type: String
        var events: [Event]
    }

    static let secrets = (1...2).map { "whsec_" + Data([UInt8](repeating: UInt8($0), count: 32)).base64EncodedString() }
    static let isPossible = TestEnvironment.python != nil && FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")

    private let folder: TemporaryFolder
    private var process: ChildProcess
    /// Of processes before.
    private var earlierOutput = ""
    private(set) var port = 0

    /// What a server trusts this endpoint by.
    var certificate: String { folder("certificate.pem") }

    init() throws {
        folder = try TemporaryFolder()
        let openssl = try ChildProcess(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder("key.pem"), "-out",
                folder("certificate.pem"),
            ])
        try #require(openssl.wait() == 0, "\(openssl.output)")
        process = try Receiver.launch(folder, port: 0)
        port = try Receiver.port(of: process)
    }

    deinit { process.kill() }

    private static func launch(_ folder: TemporaryFolder, port: Int) throws -> ChildProcess {
        let script = "\(TestEnvironment.repository)/Tests/IntegrationTests/Webhooks/receiver.py"
        let arguments = [script, folder("certificate.pem"), folder("key.pem"), "\(port)"] + secrets
        return try ChildProcess(try #require(TestEnvironment.python), arguments)
    }

    private static func port(of process: ChildProcess) throws -> Int {
        try process.waitForOutput("listening on ")
        let line = try #require(process.output.split(separator: "\n").first { $0.hasPrefix("listening on ") })
        return try #require(Int(line.dropFirst("listening on ".count)))
    }

    func url(_ path: String) -> JSON { .text("https://localhost:\(port)\(path)") }

    func kill() { process.kill() }

    /// Starts again on the same port.
    func restart() throws {
        process.kill()
        earlierOutput += process.output
        process = try Receiver.launch(folder, port: port)
        _ = try Receiver.port(of: process)
    }

    /// All requests so far whose path begins so.
    func requests(_ path: String = "/") -> [Request] {
        (earlierOutput + process.output).split(separator: "\n").compactMap { line in
            line.hasPrefix("{") ? try? JSONDecoder().decode(Request.self, from: Data(line.utf8)) : nil
        }.filter { $0.path.hasPrefix(path) }
    }
}
