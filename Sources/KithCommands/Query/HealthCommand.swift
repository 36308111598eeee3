import KithAPI
import KithCore

/// `kith health`.
enum HealthCommand {
    static let description = CommandDescription(
        name: "health", summary: "Ask a server over gRPC's health protocol whether it serves",
        options: [Connection.options[0]], notes: ["Exits with 0 where it serves, else with 1."]
    ) { arguments throws(KithError) in
        try Connection.with(arguments) { client throws(KithError) in
            let isServing = try client.isServing()
            Console.print("\(client.address) \(isServing ? "serves" : "does not serve")")
            return isServing ? ExitCode.success : ExitCode.failure
        }
    }
}
