import Foundation
import KithCommands
package import KithCore

/// One policy of the policy file: which collections it is for, and what must hold there.
package struct Policy: Sendable {
    /// What a `residency` or `retention` label must be.
    package struct LabelRule: Decodable, Sendable {
        /// The label's key.
        package var label: String
        /// Globs of allowed values.
        package var allowed: [String]?
        /// The largest allowed number.
        package var max: Double?
    }

    private struct Entry: Decodable {
        var name: String
        var collections: [String]?
        var requiredLabels: [String]?
        var allowedModels: [String]?
        var retention: LabelRule?
        var residency: LabelRule?
        var maxRetention: String?
        var forbiddenFields: [String]?
        var piiPatterns: [String: String]?
    }

    private struct File: Decodable { var policies: [Entry] }

    private static let keys: Set<String> = [
        "name", "collections", "required_labels", "allowed_models", "retention", "residency", "max_retention", "forbidden_fields",
        "pii_patterns",
    ]

    package let name: String
    let collections: [Glob]
    let requiredLabels: [String]
    let allowedModels: [Glob]?
    let labelRules: [(rule: String, label: LabelRule)]
    /// Seconds: there must be a rule of retention that keeps points no longer.
    let maxRetention: UInt32?
    let forbiddenFields: [Glob]
    let patterns: [(name: String, pattern: NSRegularExpression)]

    /// The policies of a file.
    ///
    /// - Throws: `INVALID_CONFIGURATION`, saying what is wrong where.
    package static func read(_ text: [UInt8], name: String) throws(KithError) -> [Policy] {
        guard let object = try? JSONSerialization.jsonObject(with: Data(text)) as? [String: Any],
            let entries = object["policies"] as? [[String: Any]], object.count == 1
        else { throw .usage("policies \(name): no JSON object with the one key 'policies', a list of objects", key: "policies") }
        guard entries.count <= Limits.policies else { throw .usage("policies \(name): over \(Limits.policies)", key: "policies") }
        for (place, entry) in entries.enumerated() {
            if let unknown = entry.keys.sorted().first(where: { !keys.contains($0) }) {
                throw .usage("policies \(name): policies[\(place)].\(unknown) is not known", key: unknown)
            }
        }
        let file: File
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do { file = try decoder.decode(File.self, from: Data(text)) } catch {
            throw .usage("policies \(name): \((error as? DecodingError)?.place ?? "\(error)")", key: "policies")
        }
        var policies: [Policy] = []
        for entry in file.policies {
            guard !entry.name.isEmpty, !policies.contains(where: { $0.name == entry.name }) else {
                throw .usage("policies \(name): the name '\(entry.name)' is empty or taken", key: "name")
            }
            policies.append(try Policy(entry, name))
        }
        return policies
    }

    private init(_ entry: Entry, _ file: String) throws(KithError) {
        name = entry.name
        collections = (entry.collections ?? ["*"]).map(Glob.init)
        requiredLabels = entry.requiredLabels ?? []
        allowedModels = entry.allowedModels.map { $0.map(Glob.init) }
        labelRules = [("retention", entry.retention), ("residency", entry.residency)].compactMap { rule, label in
            label.map { (rule, $0) }
        }
        maxRetention = try entry.maxRetention.map { (text) throws(KithError) in
            guard let seconds = AgeText.seconds(text) else {
                throw .usage("policies \(file): max_retention '\(text)' is no time such as 12h or 30d", key: "max_retention")
            }
            return seconds
        }
        forbiddenFields = (entry.forbiddenFields ?? []).map(Glob.init)
        var patterns: [(String, NSRegularExpression)] = []
        for (name, text) in (entry.piiPatterns ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let pattern = try? NSRegularExpression(pattern: text) else {
                throw .usage("policies \(file): pii_patterns.\(name) is no regular expression", key: name)
            }
            patterns.append((name, pattern))
        }
        self.patterns = patterns
    }

    func applies(to collection: String) -> Bool { collections.contains { $0.matches(collection) } }
}

/// A pattern in which `*` stands for any text.
struct Glob: Sendable {
    private let parts: [String]

    init(_ text: String) { parts = text.split(separator: "*", omittingEmptySubsequences: false).map(String.init) }

    func matches(_ text: String) -> Bool {
        guard let first = parts.first, let last = parts.last, parts.count > 1 else { return text == parts.first }
        guard text.hasPrefix(first), text.count >= first.count + last.count, text.hasSuffix(last) else { return false }
        var rest = text.dropFirst(first.count).dropLast(last.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}
