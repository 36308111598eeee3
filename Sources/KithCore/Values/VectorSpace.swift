/// How a vector's components are stored and compared. Raw values are those of the wire and of files.
public enum ElementType: UInt8, Sendable, CaseIterable, Hashable, Codable {
    case float32 = 1
    case float16 = 2
    case bfloat16 = 3
    case int8 = 4
    case uint8 = 5
    case binary = 6

    /// Bytes of one vector. A binary vector has a bit a component, eight to a byte, lowest bit first.
    public func byteCount(dimension: Int) -> Int {
        switch self {
        case .float32: dimension * 4
        case .float16, .bfloat16: dimension * 2
        case .int8, .uint8: dimension
        case .binary: (dimension + 7) / 8
        }
    }

    public var isFloatingPoint: Bool {
        switch self {
        case .float32, .float16, .bfloat16: true
        case .int8, .uint8, .binary: false
        }
    }
}

/// How near two vectors are. Raw values are those of the wire and of files.
///
/// Inside, every metric is a distance: smaller is nearer. On the wire it is a score; see `score(distance:)`.
public enum Metric: UInt8, Sendable, CaseIterable, Hashable, Codable {
    case cosine = 1
    case dot = 2
    case l2 = 3
    case l1 = 4
    case hamming = 5
    case jaccard = 6

    /// Whether this metric compares vectors of that element type.
    public func accepts(_ element: ElementType) -> Bool {
        switch self {
        case .cosine, .dot, .l2, .l1: element != .binary
        case .hamming, .jaccard: element == .binary
        }
    }

    /// Whether a greater score is nearer (cosine, dot), or a smaller one (the distances).
    public var greaterIsNearer: Bool {
        switch self {
        case .cosine, .dot: true
        case .l2, .l1, .hamming, .jaccard: false
        }
    }

    /// The score a client sees: cosine similarity, dot product, Euclidean distance, or the distance itself.
    ///
    /// Distances inside are 1 - cosine, -dot, squared L2, L1, differing bits, and 1 - intersection / union.
    @inlinable
    public func score(distance: Float) -> Float {
        switch self {
        case .cosine: 1 - distance
        case .dot: -distance
        case .l2: distance.squareRoot()
        case .l1, .hamming, .jaccard: distance
        }
    }

    /// The distance that `score` stands for: the inverse of `score(distance:)`.
    public func distance(score: Float) -> Float {
        switch self {
        case .cosine: 1 - score
        case .dot: -score
        case .l2: score < 0 ? -1 : score * score
        case .l1, .hamming, .jaccard: score
        }
    }
}

/// The index of a vector space: a kind by its registered name, and that kind's own parameters as text.
public struct IndexDefinition: Sendable, Hashable, Codable {
    public var kind: String
    public var parameters: [String: String]

    public init(kind: String, parameters: [String: String] = [:]) {
        self.kind = kind
        self.parameters = parameters
    }
}

/// The model whose vectors a space holds; carried in every change event.
public struct ModelReference: Sendable, Hashable, Codable {
    public var id: String
    public var revision: String

    public init(id: String, revision: String) {
        self.id = id
        self.revision = revision
    }
}

/// One named kind of vector of a collection.
public struct VectorSpace: Sendable, Hashable, Codable {
    public var name: String
    public var dimension: Int
    public var element: ElementType
    public var metric: Metric
    public var index: IndexDefinition
    public var model: ModelReference?

    public init(
        name: String, dimension: Int, element: ElementType = .float32, metric: Metric = .cosine,
        index: IndexDefinition = IndexDefinition(kind: "hnsw"), model: ModelReference? = nil
    ) {
        self.name = name
        self.dimension = dimension
        self.element = element
        self.metric = metric
        self.index = index
        self.model = model
    }

    /// Bytes of one vector as it comes over the wire.
    public var vectorBytes: Int { element.byteCount(dimension: dimension) }

    /// Bytes from one stored row to the next: whole cache lines from 64 bytes on, a power of two below.
    public var stride: Int {
        let bytes = vectorBytes
        if bytes >= 64 { return (bytes + 63) / 64 * 64 }
        var power = 1
        while power < bytes { power *= 2 }
        return power
    }
}
