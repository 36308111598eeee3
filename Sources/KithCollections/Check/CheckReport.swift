import KithCore

/// What was looked at in a data folder, and what is wrong with it.
public struct CheckReport: Sendable {
    /// Something that is there and whole.
    public struct Finding: Sendable {
        /// Such as `words/0/space ''`.
        public var place: String
        public var description: String
    }

    public struct Problem: Sendable {
        public var place: String
        public var description: String
        /// A file that can be made again from the rest, and has to go for that.
        public var derivedFile: String?
    }

    public private(set) var findings: [Finding] = []
    /// Of one place at most `problemsOfPlace`; the last of those says how many more there are.
    public private(set) var problems: [Problem] = []
    private var counts: [String: Int] = [:]

    /// One damaged page may hold thousands of rows, all of them wrong.
    static let problemsOfPlace = 10

    public var isWhole: Bool { problems.isEmpty }

    /// Whether all that is wrong can be made again.
    public var isRepairable: Bool { problems.allSatisfy { $0.derivedFile != nil } }

    init() {}

    mutating func found(_ place: String, _ description: String) {
        findings.append(Finding(place: place, description: description))
    }

    mutating func problem(_ place: String, _ description: String, derivedFile: String? = nil) {
        let count = counts[place, default: 0] + 1
        counts[place] = count
        if count <= CheckReport.problemsOfPlace {
            problems.append(Problem(place: place, description: description, derivedFile: derivedFile))
        } else if let last = problems.lastIndex(where: { $0.place == place }) {
            let more = count - CheckReport.problemsOfPlace + 1
            problems[last].description = "and \(more) more like these, the last one: \(description)"
        }
    }

    /// Makes a problem of an error; answers the result, or nil.
    mutating func attempt<Result>(
        _ place: String, derivedFile: String? = nil, _ body: (inout CheckReport) throws(KithError) -> Result
    ) -> Result? {
        do throws(KithError) { return try body(&self) } catch {
            problem(place, error.message, derivedFile: derivedFile)
            return nil
        }
    }
}
