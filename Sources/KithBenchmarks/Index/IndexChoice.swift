import KithCore

/// Which indexes a benchmark is to measure.
enum IndexChoice {
    static let options: [(name: String, help: String)] = [
        ("kind NAME", "index kind"), ("param NAME=VALUE", "a parameter of the index; again for more"),
    ]

    /// The kind and parameters that the options give, else the standard kinds as they are.
    static func definitions(_ options: Options, standard kinds: [String]) throws(KithError) -> [IndexDefinition] {
        var parameters: [String: String] = [:]
        for text in options.all("param") {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw .usage("--param is '\(text)', not NAME=VALUE") }
            parameters[parts[0]] = parts[1]
        }
        if let kind = options.value("kind") { return [IndexDefinition(kind: kind, parameters: parameters)] }
        guard parameters.isEmpty else { throw .usage("--param needs --kind") }
        return kinds.map { IndexDefinition(kind: $0) }
    }
}
