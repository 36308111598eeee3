import Foundation
import Glibc
import KithCore

/// The version of this build.
enum Version {
    static let text = "0.1.0"
}

/// Every command, in the order in which help lists them.
private let commands: [CommandDescription] = [
    ServeCommand.description,
    DemoCommand.description,
    CollectionsCommand.description,
    ImportCommand.description,
    ExportCommand.description,
    SearchCommand.description,
    TailCommand.description,
    WebhooksCommand.description,
    HealthCommand.description,
    CommandDescription(name: "version", summary: "Print the version", options: []) { _ throws(KithError) in
        Console.print("kith \(Version.text)")
        return ExitCode.success
    },
]

/// Runs the command that the process was started with, and exits: 0 done, 1 failed, 2 wrong usage, 3 some rows were bad.
public func main() -> Never {
    // gRPC's own log has another format than ours; what goes wrong comes back as a status anyway.
    setenv("GRPC_VERBOSITY", "NONE", 0)
    let words = Array(CommandLine.arguments.dropFirst())
    do throws(KithError) {
        exit(try run(words))
    } catch {
        Console.note("kith: \(error.description)")
        for violation in error.violations where !error.message.contains(violation.field) {
            Console.note("  \(violation.field): \(violation.description)")
        }
        if error.reason == .serverUnreachable { Console.note("  Is a server running? 'kith serve' starts one.") }
        exit(ExitCode.of(error))
    }
}

private func run(_ words: [String]) throws(KithError) -> Int32 {
    let wantsHelp = words.prefix { $0 != "--" }.contains { $0 == "--help" || $0 == "-h" }
    let names = words.filter { !$0.hasPrefix("-") }
    guard let first = words.first, !wantsHelp, first != "help" else {
        let topic = words.first == "help" ? names.dropFirst().first : names.first
        guard let topic else {
            Console.printText(Help.overview(commands))
            return ExitCode.success
        }
        Console.printText(Help.text(of: try command(topic)))
        return ExitCode.success
    }
    if first == "--version" { return try run(["version"]) }
    let command = try command(first)
    return try command.run(try Arguments(Array(words.dropFirst()), of: command))
}

private func command(_ name: String) throws(KithError) -> CommandDescription {
    guard let command = commands.first(where: { $0.name == name }) else {
        throw .usage("there is no command '\(name)'; 'kith help' lists them")
    }
    return command
}
