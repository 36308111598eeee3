import Glibc
package import KithCore

/// A program of commands: finds the one that its words name, and runs it.
package struct Program: Sendable {
    package var name: String
    /// The first line of its help.
    package var summary: String
    /// In the order in which help lists them. A name may be two words, such as `audit verify`.
    package var commands: [CommandDescription]

    package init(name: String, summary: String, commands: [CommandDescription]) {
        self.name = name
        self.summary = summary
        self.commands = commands
    }

    /// Runs the command that the process was started with, and exits: 0 done, 1 failed, 2 wrong usage, 3 some rows were bad.
    package func main() -> Never {
        // gRPC's own log has another format than ours; what goes wrong comes back as a status anyway.
        setenv("GRPC_VERBOSITY", "NONE", 0)
        let words = Array(CommandLine.arguments.dropFirst())
        do throws(KithError) {
            exit(try run(words))
        } catch {
            Console.note("\(name): \(error.description)")
            for violation in error.violations where !error.message.contains(violation.field) {
                Console.note("  \(violation.field): \(violation.description)")
            }
            // A server that answered that it could not reach another is there.
            if error.code == .unavailable, error.reason == .serverUnreachable {
                Console.note("  Is a server running? 'kith serve' starts one.")
            }
            exit(ExitCode.of(error))
        }
    }

    package func run(_ words: [String]) throws(KithError) -> Int32 {
        let wantsHelp = words.prefix { $0 != "--" }.contains { $0 == "--help" || $0 == "-h" }
        guard let first = words.first, !wantsHelp, first != "help" else {
            let names = words.filter { !$0.hasPrefix("-") }
            let topic = Array(words.first == "help" ? names.dropFirst() : names[...])
            guard !topic.isEmpty else {
                Console.printText(Help.overview(self))
                return ExitCode.success
            }
            Console.printText(Help.text(of: try command(topic).description, name))
            return ExitCode.success
        }
        if first == "--version" { return try run(["version"]) }
        let (command, rest) = try command(words)
        return try command.run(try Arguments(rest, of: command))
    }

    /// The command that the first words name, and the words after its name.
    private func command(_ words: [String]) throws(KithError) -> (description: CommandDescription, rest: [String]) {
        for count in [2, 1] where words.count >= count {
            let wanted = words.prefix(count).joined(separator: " ")
            if let command = commands.first(where: { $0.name == wanted }) { return (command, Array(words.dropFirst(count))) }
        }
        throw .usage("there is no command '\(words.first ?? "")'; '\(name) help' lists them")
    }
}
