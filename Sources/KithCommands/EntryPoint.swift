import KithCore

/// The version of this build.
package enum Version {
    package static let text = "0.1.0"
}

private let program = Program(
    name: "kith",
    summary: "Kith \(Version.text): platform vector storage over gRPC, durable in RocksDB, with its change stream in Kafka.",
    commands: [
        ServeCommand.description,
        DemoCommand.description,
        CollectionsCommand.description,
        ImportCommand.description,
        ExportCommand.description,
        SearchCommand.description,
        TailCommand.description,
        WebhooksCommand.description,
        EventsCommand.description,
        GovernanceCommand.description,
        HealthCommand.description,
        CheckCommand.description,
        AdviseCommand.description,
        CommandDescription(name: "version", summary: "Print the version", options: []) { _ throws(KithError) in
            Console.print("kith \(Version.text)")
            return ExitCode.success
        },
    ])

/// Runs the command that the process was started with, and exits: 0 done, 1 failed, 2 wrong usage, 3 some rows were bad.
public func main() -> Never { program.main() }
