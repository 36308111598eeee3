package import KithCore

/// The words after a command, told apart: `--name value`, `--name=value`, `--flag`, and operands. `--` ends the options.
package struct Arguments: Sendable {
    package private(set) var operands: [String] = []
    package private(set) var values: [(name: String, value: String)] = []
    private var flags: Set<String> = []

    /// No words at all.
    package static let none = Arguments()

    private init() {}

    /// - Throws: `INVALID_CONFIGURATION`, naming the option.
    package init(_ words: [String], of command: CommandDescription) throws(KithError) {
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                operands += rest
                break
            }
            // A lone dash is standard input, and a number may be negative.
            guard word.hasPrefix("--") else {
                operands.append(word)
                continue
            }
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            let option = command.options.first { $0.name == name }
            guard option != nil || command.takesAnyOption else {
                throw .usage("'\(command.name)' has no option --\(name)", key: name)
            }
            if let option, option.value == nil {
                guard parts.count == 1 else { throw .usage("--\(name) takes no value", key: name) }
                flags.insert(name)
                continue
            }
            guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
                throw .usage("--\(name) needs a value", key: name)
            }
            if option?.isRepeated != true, values.contains(where: { $0.name == name }) {
                throw .usage("--\(name) is given twice", key: name)
            }
            values.append((name, value))
        }
        let required = command.operands.count { !$0.hasPrefix("[") }
        guard operands.count >= required else {
            throw .usage("'\(command.name)' needs \(command.operands.joined(separator: " "))")
        }
        guard operands.count <= command.operands.count else {
            throw .usage("'\(command.name)' does not expect '\(operands[command.operands.count])'")
        }
    }

    package func flag(_ name: String) -> Bool { flags.contains(name) }
    package func value(_ name: String) -> String? { values.last { $0.name == name }?.value }
    package func all(_ name: String) -> [String] { values.filter { $0.name == name }.map(\.value) }

    package func required(_ name: String) throws(KithError) -> String {
        guard let value = value(name), !value.isEmpty else { throw .usage("--\(name) is missing", key: name) }
        return value
    }

    package func number(_ name: String, _ range: ClosedRange<Int>) throws(KithError) -> Int? {
        guard let text = value(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .usage("--\(name) is '\(text)', not a number from \(range.lowerBound) to \(range.upperBound)", key: name)
        }
        return number
    }

    /// One of a few words.
    package func choice<Value>(_ name: String, _ choices: [(word: String, value: Value)]) throws(KithError) -> Value? {
        guard let text = value(name) else { return nil }
        guard let choice = choices.first(where: { $0.word == text }) else {
            throw .usage("--\(name) is '\(text)', not one of \(choices.map(\.word).joined(separator: ", "))", key: name)
        }
        return choice.value
    }
}
