import Foundation
import KithAPI
import KithCore
import KithTelemetry

/// A client of the server that a command talks to: one that runs somewhere, or one made for the command alone.
final class Connection: Sendable {
    static let options = [
        Option(
            name: "address", value: "HOST:PORT", help: "of a running server (KITH_ADDRESS, else \(ServerSettings.defaultAddress))"
        ),
        Option(name: "embedded", value: "FOLDER", help: "open this data folder in place of a server, which must not run"),
    ]

    let client: KithClient
    private let embedded: RunningServer?

    private init(_ arguments: Arguments) throws(KithError) {
        if let folder = arguments.value("embedded") {
            guard arguments.value("address") == nil else {
                throw .usage("--address and --embedded exclude each other", key: "embedded")
            }
            Log.setThreshold(.warning)
            var settings = try ServerSettings()
            settings.data = folder
            settings.listen = "127.0.0.1:0"
            let server = try RunningServer(settings)
            embedded = server
            client = try KithClient(address: "127.0.0.1:\(server.server.port)")
        } else {
            let variable = ProcessInfo.processInfo.environment["KITH_ADDRESS"] ?? ""
            embedded = nil
            client = try KithClient(
                address: arguments.value("address") ?? (variable.isEmpty ? ServerSettings.defaultAddress : variable))
        }
    }

    /// Connects, and afterwards closes what was opened, however `body` ends.
    static func with<Result>(
        _ arguments: Arguments, _ body: (KithClient) throws(KithError) -> Result
    ) throws(KithError) -> Result {
        let connection = try Connection(arguments)
        defer { connection.embedded?.stop(drainSeconds: 1) }
        return try body(connection.client)
    }
}
