public import KithCore

/// What a definition may say of a graph. Names and defaults as in the paper and its implementations.
public struct HNSWParameters: Sendable, Equatable {
    /// Links of a node in each upper layer; the lowest has twice as many.
    public var m = 24
    /// Candidates kept while a node is linked: more make a better graph, more slowly.
    public var efConstruction = 128
    /// Candidates kept while searching, unless the query asks for others; nil: as many as measured to find `defaultRecall`.
    public var efSearch: Int?

    public init() {}

    /// - Throws: `INVALID_INDEX_PARAMETER` for an unknown name, or a value that is no whole number in range.
    public init(_ parameters: [String: String]) throws(KithError) {
        for (name, text) in parameters.sorted(by: { $0.key < $1.key }) {
            switch name {
            case "m": m = try HNSWParameters.number(name, text, in: 4...128)
            case "ef_construction": efConstruction = try HNSWParameters.number(name, text, in: 8...4_096)
            case "ef_search": efSearch = try HNSWParameters.number(name, text, in: 1...Limits.searchEffort)
            default: throw .invalidIndexParameter(name, "is none of ef_construction, ef_search, m")
            }
        }
    }

    /// The recall of a search that asks for nothing, a little above what most would ask for.
    public static let defaultRecall: Float = 0.97
    /// Candidates that find about that many on data of middling hardness: until the index has measured.
    private static let usualEffort: Float = 256

    /// Candidates to keep for a wanted recall where nothing was measured: misses fall about in proportion to what is kept.
    public static func effort(forRecall target: Float) -> Int {
        let missed = max(1 - target, 1e-4)
        return min(max(Int(usualEffort * (1 - defaultRecall) / missed), 1), Limits.searchEffort)
    }

    private static func number(_ name: String, _ text: String, in range: ClosedRange<Int>) throws(KithError) -> Int {
        guard let value = Int(text), range.contains(value) else {
            throw .invalidIndexParameter(
                name, "'\(text)' is no whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}

extension KithError {
    static func invalidIndexParameter(_ name: String, _ description: String) -> KithError {
        .invalid(.invalidIndexParameter, field: "index.parameters[\"\(name)\"]", description, metadata: ["parameter": name])
    }
}
