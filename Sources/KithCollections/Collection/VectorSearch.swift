public import KithCore

/// Which parts of points are wanted.
public struct PointSelection: Sendable {
    public var payload: Bool
    /// Spaces whose vectors are wanted.
    public var spaces: [Int]

    public init(payload: Bool = false, spaces: [Int] = []) {
        self.payload = payload
        self.spaces = spaces
    }

    var isEmpty: Bool { !payload && spaces.isEmpty }
}

/// A search of one space.
public struct VectorSearch: Sendable {
    /// What to be near to.
    public enum Query: Sendable {
        /// In the space's element type, checked.
        case vector(ByteView)
        /// The vector of this point, which is left out of the results.
        case point(PointID)
    }

    /// The number of the space in the definition.
    public var space: Int
    public var query: Query
    public var topK: Int
    /// What the index's kind understands by effort; nil: its own choice, or that of `recallTarget`.
    public var effort: Int?
    /// Wanted recall, 0.5 to 1, where no effort is given.
    public var recallTarget: Float?
    /// Compares all vectors, whatever the effort.
    public var exact = false
    /// Leaves out vectors that are not linked yet; `SearchResult.unindexedLeftOut` counts them.
    public var indexedOnly = false
    /// In scores as they are answered.
    public var scoreThreshold: Float?
    /// Nil: scores are the metric's.
    public var scoreTransform: ScoreTransform?
    public var selection = PointSelection()

    public init(space: Int, query: Query, topK: Int) {
        self.space = space
        self.query = query
        self.topK = topK
    }
}

/// A point found or read. Bytes are borrowed from `StoredPoint.owner` and from the collection's segments.
public struct StoredPoint: Sendable {
    public var id: PointID
    public var version: UInt64 = 0
    public var payload = ByteView.empty
    /// Space and bytes.
    public var vectors: [(space: Int, bytes: ByteView)] = []
    /// 0 but in search results.
    public var score: Float = 0
    var owner: OwnedBytes?

    init(id: PointID, version: UInt64 = 0, score: Float = 0) {
        self.id = id
        self.version = version
        self.score = score
    }
}

/// What a search found.
public struct SearchResult: Sendable {
    /// Nearest first.
    public var points: [StoredPoint]
    /// Vectors left out because they are not linked yet.
    public var unindexedLeftOut: Int
}

/// What several searches found, or why they failed, each alone.
public struct SearchResults: Sendable {
    /// Where what one search found lies in `points`.
    public struct Part: Sendable {
        /// Nearest first.
        public var points: Range<Int>
        /// As `SearchResult` has it.
        public var unindexedLeftOut: Int
    }

    /// What all of them found, one search after another.
    public internal(set) var points: [StoredPoint] = []
    /// In the order asked.
    public internal(set) var parts: [Result<Part, KithError>]

    init(count: Int) {
        parts = Array(repeating: .success(Part(points: 0..<0, unindexedLeftOut: 0)), count: count)
    }

    /// All of them failed.
    public init(_ error: KithError, count: Int) { parts = Array(repeating: .failure(error), count: count) }

    /// Says in other words why searches failed.
    public mutating func mapErrors(_ other: (KithError) -> KithError) {
        for place in parts.indices {
            if case .failure(let error) = parts[place] { parts[place] = .failure(other(error)) }
        }
    }
}
