/// What `kith help` and `--help` print.
enum Help {
    static func overview(_ program: Program) -> String {
        let commands = program.commands
        let width = commands.map(\.name.count).max() ?? 0
        let list = commands.map { "  \(pad($0.name, width + 3))\($0.summary)" }
        return """
            \(program.summary)

            Usage: \(program.name) COMMAND [OPTIONS]

            \(list.joined(separator: "\n"))

            '\(program.name) help COMMAND' or '\(program.name) COMMAND --help' says more.

            """
    }

    static func text(of command: CommandDescription, _ program: String) -> String {
        var text = "\(command.summary)\n\nUsage: \(program) \(([command.name] + command.operands).joined(separator: " "))"
        text += command.options.isEmpty ? "\n" : " [OPTIONS]\n"
        let names = command.options.map { "--\($0.name)\($0.value.map { " \($0)" } ?? "")" }
        let width = min(names.map(\.count).max() ?? 0, 32)
        if !names.isEmpty { text += "\n" }
        for (name, option) in zip(names, command.options) {
            // A long name has a line of its own.
            text += name.count > width ? "  \(name)\n  \(pad("", width + 3))" : "  \(pad(name, width + 3))"
            text += option.help + "\n"
        }
        if !command.notes.isEmpty { text += "\n" + command.notes.joined(separator: "\n") + "\n" }
        return text
    }
}

/// The text, filled up with spaces.
func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

/// The text, moved to the right of its column.
func padLeft(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

/// A whole number as people read it: 12,345.
func grouped(_ number: some BinaryInteger) -> String {
    var digits = Array(String(number.magnitude))
    var place = digits.count - 3
    while place > 0 {
        digits.insert(",", at: place)
        place -= 3
    }
    return (number < 0 ? "-" : "") + String(digits)
}
