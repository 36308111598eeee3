public import KithCore

/// A collection, as far as tools need it.
public struct CollectionSummary: Decodable, Sendable {
    /// A space of vectors that can be compared with each other.
    public struct Space: Decodable, Sendable {
        struct Index: Decodable, Sendable { var kind: String }
        var elementType: String
        var index: Index?
        /// Empty where the collection has one space without a name.
        public var name: String
        /// Components of a vector.
        public var dimension: Int
        /// Such as `METRIC_COSINE`.
        public var metric: String

        /// Nil for one that this client does not know.
        public var element: ElementType? { ElementType(wireName: elementType) }
        /// Such as `ELEMENT_TYPE_FLOAT32`, also where this client does not know it.
        public var elementName: String { elementType }
        /// Such as `graph`; empty where there is no index.
        public var indexKind: String { index?.kind ?? "" }
    }

    /// Its own, not an alias.
    public var name: String
    /// In the order in which they were defined.
    public var vectorSpaces: [Space]
    /// Fixed when the collection was made: partitions of its topics.
    public var shardCount: Int
    /// For people.
    public var description: String
    /// Further names that stand for it now.
    public var aliases: [String]
}

extension KithClient {
    /// One collection, by name or alias.
    public func collection(_ name: String) throws(KithError) -> CollectionSummary {
        try call("/kith.v1.CollectionService/GetCollection", ["name": name])
    }

    /// All collections, in order of name.
    public func collections() throws(KithError) -> [CollectionSummary] {
        struct Page: Decodable {
            var collections: [CollectionSummary]
            var nextPageToken: String
        }
        var all: [CollectionSummary] = []
        var token = ""
        repeat {
            let page: Page = try call("/kith.v1.CollectionService/ListCollections", ["pageToken": token])
            all += page.collections
            token = page.nextPageToken
        } while !token.isEmpty
        return all
    }
}

extension ElementType {
    /// The name of its value in the protos, such as `ELEMENT_TYPE_FLOAT32`.
    public var wireName: String { "ELEMENT_TYPE_" + "\(self)".uppercased() }

    /// Nil for a name that is no type's `wireName`.
    public init?(wireName: String) {
        guard let type = ElementType.allCases.first(where: { $0.wireName == wireName }) else { return nil }
        self = type
    }
}

extension Metric {
    /// The name of its value in the protos, such as `METRIC_COSINE`.
    public var wireName: String { "METRIC_" + "\(self)".uppercased() }
}
