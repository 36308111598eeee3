package import KithCore

/// An option of a command, as it is parsed and as help shows it.
package struct Option: Sendable {
    /// Without the dashes.
    package var name: String
    /// What stands for the value in help; nil for a flag that has none.
    package var value: String?
    package var help: String
    /// May be given several times.
    package var isRepeated: Bool

    package init(name: String, value: String?, help: String, isRepeated: Bool = false) {
        self.name = name
        self.value = value
        self.help = help
        self.isRepeated = isRepeated
    }
}

/// A command: its words, its help, and what it does.
package struct CommandDescription: Sendable {
    package var name: String
    package var summary: String
    /// Names of the words after the command, such as `FILE`; those in brackets may be left out.
    package var operands: [String]
    package var options: [Option]
    /// Further lines of its help.
    package var notes: [String]
    /// Whether options that are not declared are collected, for the command to judge.
    package var takesAnyOption: Bool
    /// Answers the exit code.
    package var run: @Sendable (Arguments) throws(KithError) -> Int32

    package init(
        name: String, summary: String, operands: [String] = [], options: [Option], notes: [String] = [],
        takesAnyOption: Bool = false, run: @escaping @Sendable (Arguments) throws(KithError) -> Int32
    ) {
        self.name = name
        self.summary = summary
        self.operands = operands
        self.options = options
        self.notes = notes
        self.takesAnyOption = takesAnyOption
        self.run = run
    }
}

/// What a process of ours ends with.
package enum ExitCode {
    package static let success: Int32 = 0
    package static let failure: Int32 = 1
    /// The command line or a setting is wrong; nothing was done.
    package static let usage: Int32 = 2
    /// An import is through, and some of its rows were bad.
    package static let badRows: Int32 = 3

    package static func of(_ error: KithError) -> Int32 {
        error.reason == .invalidConfiguration && error.code == .invalidArgument ? usage : failure
    }
}

extension KithError {
    /// A wrong command line or setting.
    package static func usage(_ message: String, key: String = "") -> KithError {
        KithError(.invalidArgument, .invalidConfiguration, message, metadata: key.isEmpty ? [:] : ["key": key])
    }
}
