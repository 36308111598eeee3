public import KithCore

/// A collection, as far as tools need it.
public struct CollectionSummary: Decodable, Sendable {
    public struct Space: Decodable, Sendable {
        struct Index: Decodable, Sendable { var kind: String }
        var elementType: String
        var index: Index?
        public var name: String
        public var dimension: Int
        /// Such as `METRIC_COSINE`.
        public var metric: String

        /// Nil for one that this client does not know.
        public var element: ElementType? { ElementType(wireName: elementType) }
        public var elementName: String { elementType }
        public var indexKind: String { index?.kind ?? "" }
    }

    public var name: String
    public var vectorSpaces: [Space]
    public var shardCount: Int
    public var description: String
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

    public init?(wireName: String) {
        guard let type = ElementType.allCases.first(where: { $0.wireName == wireName }) else { return nil }
        self = type
    }
}

extension Metric {
    /// The name of its value in the protos, such as `METRIC_COSINE`.
    public var wireName: String { "METRIC_" + "\(self)".uppercased() }
}
