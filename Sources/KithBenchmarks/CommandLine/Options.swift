import KithCore

/// The words after the benchmark's name: `--name value`, `--name=value`, and flags.
struct Options: Sendable {
    static let common: [(name: String, help: String)] = [
        ("json FILE", "write the results there too"),
        ("tiny", "seconds of work, to see that it runs; the figures mean nothing"),
        ("full", "with 'all': everything at its own size"),
        ("kith FILE", "the server's binary (kith, beside kith-bench)"),
    ]
    private static let flags: Set<String> = ["tiny", "full", "serve"]

    private var values: [String: [String]] = [:]

    /// - Parameter known: options of the benchmark, beside the common ones; in help a value's name follows.
    init(_ words: [String], known: [String]) throws(KithError) {
        let names = Set((Options.common.map(\.name) + known).map { String($0.prefix { $0 != " " }) })
        var rest = words[...]
        while let word = rest.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard word.hasPrefix("--"), let name = parts.first?.dropFirst(2), names.contains(String(name)) else {
                throw .usage("'\(word)' is no option here; 'kith-bench help' lists them")
            }
            if Options.flags.contains(String(name)) {
                values[String(name), default: []].append("")
            } else if let value = parts.count == 2 ? parts[1] : rest.popFirst() {
                values[String(name), default: []].append(value)
            } else {
                throw .usage("--\(name) needs a value")
            }
        }
    }

    func has(_ name: String) -> Bool { values[name] != nil }
    func value(_ name: String) -> String? { values[name]?.last }
    func all(_ name: String) -> [String] { values[name] ?? [] }

    func number(_ name: String) throws(KithError) -> Int? {
        guard let text = value(name) else { return nil }
        guard let number = Int(text), number > 0 else { throw .usage("--\(name) is '\(text)', not a whole number above 0") }
        return number
    }

    func decimal(_ name: String) throws(KithError) -> Double? {
        guard let text = value(name) else { return nil }
        guard let number = Double(text), number > 0 else { throw .usage("--\(name) is '\(text)', not a number above 0") }
        return number
    }

    /// Numbers with commas between them.
    func list<Value: LosslessStringConvertible>(_ name: String, _ standard: [Value]) throws(KithError) -> [Value] {
        guard let text = value(name) else { return standard }
        var list: [Value] = []
        for part in text.split(separator: ",") {
            guard let value = Value(String(part)) else { throw .usage("--\(name): '\(part)' is not a number") }
            list.append(value)
        }
        return list
    }

    /// One of the cases, by its name.
    func choice<Value: CaseIterable>(_ name: String, _ standard: Value) throws(KithError) -> Value {
        guard let text = value(name) else { return standard }
        // The names that NumPy's users know.
        let short = ["f32": "float32", "f16": "float16", "bf16": "bfloat16", "i8": "int8", "u8": "uint8"]
        guard let value = Value.allCases.first(where: { "\($0)" == short[text] ?? text }) else {
            throw .usage("--\(name) is '\(text)', not one of \(Value.allCases.map { "\($0)" }.joined(separator: ", "))")
        }
        return value
    }
}

extension KithError {
    /// A wrong command line.
    static func usage(_ message: String) -> KithError { KithError(.invalidArgument, .invalidConfiguration, message) }

    /// A measurement that did not come about.
    static func failed(_ message: String) -> KithError { KithError(.internal, .serverUnreachable, message) }
}
