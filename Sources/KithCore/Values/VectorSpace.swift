/// How a vector's components are stored and compared. Raw values are those of the wire and of files.
public enum ElementType: UInt8, Sendable, CaseIterable, Hashable, Codable {
    /// Four bytes a component, IEEE 754.
    case float32 = 1
    /// Two bytes: binary16.
    case float16 = 2
    /// Two bytes: the upper half of a float32.
    case bfloat16 = 3
    /// A byte, -128 to 127.
    case int8 = 4
    /// A byte, 0 to 255.
    case uint8 = 5
    /// A bit; see `byteCount(dimension:)`.
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

    /// Whether components are fractions, so that rounding can lose some of them.
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
    /// The angle; vectors need not be of length one, but none may be zero.
    case cosine = 1
    /// The inner product.
    case dot = 2
    /// Euclidean.
    case l2 = 3
    /// The sum of absolute differences.
    case l1 = 4
    /// The number of bits that differ.
    case hamming = 5
    /// Of sets of bits: one less the intersection over the union.
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
    /// The kind of index that a space has where it names none.
    public static let defaultKind = "graph"

    /// As the index registry has it, such as `graph`.
    public var kind: String
    /// Documentation/tuning.md lists those of each kind.
    public var parameters: [String: String]

    public init(kind: String = defaultKind, parameters: [String: String] = [:]) {
        self.kind = kind
        self.parameters = parameters
    }
}

/// The model whose vectors a space holds; carried in every change event.
public struct ModelReference: Sendable, Hashable, Codable {
    /// Such as `sentence-transformers/all-MiniLM-L6-v2`.
    public var id: String
    /// Such as a version or a commit of the model.
    public var revision: String

    public init(id: String, revision: String) {
        self.id = id
        self.revision = revision
    }
}

/// One named kind of vector of a collection.
public struct VectorSpace: Sendable, Hashable, Codable {
    /// Unique in its collection; may be empty where it is the only one.
    public var name: String
    /// Components, 1 to `Limits.dimension`.
    public var dimension: Int
    public var element: ElementType
    public var metric: Metric
    public var index: IndexDefinition
    public var model: ModelReference?

    public init(
        name: String, dimension: Int, element: ElementType = .float32, metric: Metric = .cosine,
        index: IndexDefinition = IndexDefinition(), model: ModelReference? = nil
    ) {
        self.name = name
        self.dimension = dimension
        self.element = element
        self.metric = metric
        self.index = index
        self.model = model
    }

    /// The same space with another index.
    public func indexed(by index: IndexDefinition) -> VectorSpace {
        var space = self
        space.index = index
        return space
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
