import Foundation
import KithCommands
import KithCore

/// Holds policies against what events tell.
struct PolicyCheck {
    let policies: [Policy]

    /// An event, as violations name it.
    struct Cause {
        var event: String
        var time: String

        init(_ change: ChangeRecord) {
            event = change.id
            time = change.timestamp
        }

        /// Of the node's own log; where the event does not say it itself, the record does.
        init(_ record: ConsumedRecord, _ source: EventSource?) {
            event = record.header("ce_id") ?? "\(record.place)@\(record.offset)"
            time = ChangeRecord.timestamp(source?.time ?? record.timestamp * 1_000)
        }
    }

    /// What a collection's rule of retention violates, or that it has none.
    func retention(_ name: String, _ collection: GovernanceState.Collection, _ cause: Cause) -> [Violation] {
        policies.filter { $0.applies(to: name) }.compactMap { policy in
            guard let longest = policy.maxRetention, let what = PolicyCheck.problem(collection.retention, longest) else {
                return nil
            }
            return Violation(
                policy: policy.name, rule: "max_retention", resource: "collections/\(name)/retention", what: what,
                event: cause.event, time: cause.time)
        }
    }

    /// What a collection's definition and its rule of retention violate.
    func definition(_ name: String, _ collection: GovernanceState.Collection, _ cause: Cause) -> [Violation] {
        let found = policies.filter { $0.applies(to: name) }.flatMap { policy -> [Violation] in
            var found: [Violation] = []
            func violated(_ rule: String, _ part: String, _ what: String) {
                found.append(
                    Violation(
                        policy: policy.name, rule: rule, resource: "collections/\(name)\(part)", what: what, event: cause.event,
                        time: cause.time))
            }
            for label in policy.requiredLabels where (collection.labels[label] ?? "").isEmpty {
                violated("required_labels", "/labels/\(label)", "the label '\(label)' is missing")
            }
            for (rule, wanted) in policy.labelRules {
                if let what = PolicyCheck.problem(collection.labels[wanted.label], wanted) {
                    violated(rule, "/labels/\(wanted.label)", what)
                }
            }
            if let allowed = policy.allowedModels {
                for (space, model) in collection.models.sorted(by: { $0.key < $1.key })
                where !allowed.contains(where: { $0.matches(model) || $0.matches(PolicyCheck.name(of: model)) }) {
                    violated(
                        "allowed_models", "/vectorSpaces/\(space)",
                        model.isEmpty ? "the space names no model" : "the model '\(model)' is not allowed")
                }
            }
            return found
        }
        return found + retention(name, collection, cause)
    }

    /// What a point's payload violates. Values are never repeated in what is reported.
    func payload(_ name: String, _ fields: [PayloadField], _ cause: Cause) -> [Violation] {
        policies.filter { $0.applies(to: name) }.flatMap { policy -> [Violation] in
            var found: [Violation] = []
            for field in fields {
                let resource = "collections/\(name)/fields/\(field.name)"
                if policy.forbiddenFields.contains(where: { $0.matches(field.name) }) {
                    found.append(
                        Violation(
                            policy: policy.name, rule: "forbidden_fields", resource: resource, what: "the field may not be here",
                            event: cause.event, time: cause.time))
                }
                guard !policy.patterns.isEmpty, field.value.first == UInt8(ascii: "\"") else { continue }
                // Long texts are looked at in their beginning: a pattern must not cost without limit.
                let text = String(decoding: field.text.prefix(Limits.scannedTextBytes), as: UTF8.self)
                let range = NSRange(text.startIndex..., in: text)
                for (kind, pattern) in policy.patterns where pattern.firstMatch(in: text, range: range) != nil {
                    found.append(
                        Violation(
                            policy: policy.name, rule: "pii_patterns.\(kind)", resource: resource,
                            what: "values look like '\(kind)'",
                            event: cause.event, time: cause.time))
                }
            }
            return found
        }
    }

    private static func problem(_ value: String?, _ rule: Policy.LabelRule) -> String? {
        guard let value, !value.isEmpty else { return "the label '\(rule.label)' is missing" }
        if let allowed = rule.allowed, !allowed.contains(where: { Glob($0).matches(value) }) {
            return "the label '\(rule.label)' is '\(value)', which is not allowed"
        }
        guard let max = rule.max else { return nil }
        guard let number = Double(value) else { return "the label '\(rule.label)' is '\(value)', no number" }
        return number <= max ? nil : "the label '\(rule.label)' is \(value), over \(max)"
    }

    private static func problem(_ rule: GovernanceState.Retention?, _ longest: UInt32) -> String? {
        guard let rule, rule.isRule else { return "there is no rule of retention" }
        guard rule.maxAgeSeconds > longest else { return nil }
        return "points are kept for \(rule.maxAgeSeconds) s, over \(longest) s"
    }

    private static func name(of model: String) -> String { String(model.split(separator: "@").first ?? "") }
}
