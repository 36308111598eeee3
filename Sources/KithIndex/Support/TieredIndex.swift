public import KithCore

/// Bytes of an index, by what can become of them.
public struct IndexFootprint: Sendable, Equatable {
    /// In memory for good: codes, and links or lists beside them.
    public var memoryBytes: Int
    /// Links in a file, which may be mapped or read.
    public var linkBytes: Int

    public init(memoryBytes: Int = 0, linkBytes: Int = 0) {
        self.memoryBytes = memoryBytes
        self.linkBytes = linkBytes
    }

    static func + (one: Self, other: Self) -> Self {
        Self(memoryBytes: one.memoryBytes + other.memoryBytes, linkBytes: one.linkBytes + other.linkBytes)
    }
}

/// What an index of so many vectors will take.
public struct IndexPrediction: Sendable, Equatable {
    public var footprint: IndexFootprint
    /// Of its checkpoint on disk, at most.
    public var checkpointBytes: Int
}

/// A kind whose size follows from a definition alone.
public protocol PredictableIndexMaker: VectorIndexMaker {
    /// - Throws: `INVALID_INDEX_PARAMETER` as `check` does.
    func predict(_ space: VectorSpace, vectors: Int) throws(KithError) -> IndexPrediction
}

/// An index that can do with less memory.
public protocol TieredIndex: VectorIndexReader {
    /// Whether searches walk over links in memory; else they read them from their file. Any thread may change it.
    var keepsLinksInMemory: Bool { get set }

    /// Takes pages of links that linking has brought back out of the process again, where they are not to be kept.
    func releaseLinks()
}
