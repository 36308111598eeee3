import KithCommands
import KithCore

private let program = Program(
    name: "kith-consume",
    summary: "Kith \(Version.text): consumers of its change stream, each a process of its own.",
    commands: [
        EtlCommand.description,
        IngestCommand.description,
    ] + AuditCommand.commands + GovernanceCommand.commands + [
        CommandDescription(name: "version", summary: "Print the version", options: []) { _ throws(KithError) in
            Console.print("kith-consume \(Version.text)")
            return ExitCode.success
        }
    ])

/// Runs the command that the process was started with, and exits as `kith` does.
public func main() -> Never { program.main() }
