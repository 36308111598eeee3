/// What governance knows, built from events alone. Small: it grows with collections, fields, models and violations, each with a limit, never with
/// points.
package struct GovernanceState: Codable, Sendable, Equatable {
    /// A payload field of a collection, as changes showed it.
    package struct Field: Codable, Sendable, Equatable {
        /// JSON types that were seen.
        package var types: Set<String> = []
        /// Times of the first and the last change that had it, RFC 3339 in UTC; empty where none did, and only a classification was told.
        package var first: String
        package var last: String
        /// As it was classified.
        package var classification: String?
    }

    /// A collection, as changes and catalogue events tell of it.
    package struct Collection: Codable, Sendable, Equatable {
        /// Grows when one is made anew under the same name; 0 until an event tells it.
        package var id: UInt32 = 0
        package var description = ""
        /// As its definition has them; `owner` is one.
        package var labels: [String: String] = [:]
        /// Model of each vector space, as `<id>@<revision>`; empty where none is named.
        package var models: [String: String] = [:]
        /// By name; at most `Limits.payloadColumns`.
        package var fields: [String: Field] = [:]
        /// Who wrote to it, and how many changes.
        package var writers: [String: UInt64] = [:]
        /// Changes that were read, deletions included.
        package var changes: UInt64 = 0
        /// RFC 3339 in UTC; empty before the first.
        package var lastChange = ""
        /// Whether catalogue events have told of it.
        package var isDefined = false
        /// Of the whole collection, as it was classified.
        package var classification: String?
        /// Changes whose payloads were too large for Kafka and could not be fetched, and so were not looked at.
        package var unread: UInt64?
        /// Nil until one was told.
        package var retention: Retention?
    }

    /// A rule of retention as it was last told, and what it did.
    package struct Retention: Codable, Sendable, Equatable {
        /// 0: there is none any more.
        package var maxAgeSeconds: UInt32 = 0
        /// The payload field that it goes by; empty: the last change.
        package var field = ""
        /// Points that were deleted.
        package var deleted: UInt64 = 0

        /// Whether points are deleted by it.
        package var isRule: Bool { maxAgeSeconds > 0 }
        /// For people.
        package var text: String {
            isRule ? "older than \(maxAgeSeconds) s by \(field.isEmpty ? "last change" : field)" : "no rule"
        }
    }

    /// A legal hold, as it was last told.
    package struct Hold: Codable, Sendable, Equatable {
        package var collection: String
        /// What is held: `everything`, so many points, or by which field.
        package var what: String
        /// Why it was placed; once it is released, why that was.
        package var reason: String
        /// False once it was released.
        package var stands: Bool
    }

    /// An erasure, as it was last told.
    package struct Erasure: Codable, Sendable, Equatable {
        package var collection: String
        /// What it is about as the request says, such as a ticket.
        package var subject: String
        /// Points that were named, whether they were there or not.
        package var requested: UInt64
        /// Nil until it is proved.
        package var deleted: UInt64?
        /// As in the event that proved it, in base64.
        package var pointsSHA256: String?
    }

    /// An edge of the lineage graph.
    package struct Edge: Codable, Sendable, Hashable, Comparable {
        /// Nodes, such as `collection:docs`, `model:minilm@2`, `writer:alice` or `job:airflow/embed`.
        package var from: String
        package var to: String

        package static func < (left: Edge, right: Edge) -> Bool { (left.from, left.to) < (right.from, right.to) }
    }

    /// By name.
    package var collections: [String: Collection] = [:]
    /// Registered models, by `<id>@<revision>`, with their owner.
    package var models: [String: String] = [:]
    /// By name.
    package var holds: [String: Hold] {
        get { knownHolds ?? [:] }
        set { knownHolds = newValue }
    }
    /// By name.
    package var erasures: [String: Erasure] {
        get { knownErasures ?? [:] }
        set { knownErasures = newValue }
    }
    /// Absent in files of an earlier release.
    private var knownHolds: [String: Hold]?
    private var knownErasures: [String: Erasure]?
    /// Edges that OpenLineage events tell of.
    package var edges: Set<Edge> = []
    /// Open violations, by their id.
    package var violations: [String: Violation] = [:]
    /// Where each partition goes on: `topic[partition]` to offset.
    package var offsets: [String: Int64] = [:]
    /// The last event of each source, by partition.
    package var sources: [String: EventOrder] = [:]

    package init() {}

    /// Whether an event of this source, so placed, was taken in before. Notes it where it was not.
    mutating func isKnown(_ source: String, _ order: EventOrder, limit: Int) -> Bool {
        if let last = sources[source], order <= last { return true }
        if sources[source] != nil || sources.count < limit { sources[source] = order }
        return false
    }
}

/// A policy that does not hold somewhere.
package struct Violation: Codable, Sendable, Equatable {
    /// The policy's name.
    package var policy: String
    /// Which of its rules, such as `forbidden_fields` or `pii_patterns.email`.
    package var rule: String
    /// Such as `collections/docs/fields/email`.
    package var resource: String
    /// For people; values of payloads are never repeated.
    package var what: String
    /// The event that showed it first, and its time.
    package var event: String
    package var time: String
    /// How often it was seen.
    package var count: UInt64 = 1

    /// The same for all sightings of one violation.
    package var id: String { "\(policy)/\(rule)/\(resource)" }
}
