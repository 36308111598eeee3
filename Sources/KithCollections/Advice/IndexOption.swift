public import KithCore
public import KithIndex

/// One way to index a space, and what it would take.
public struct IndexOption: Sendable {
    /// What of it a memory budget holds.
    public enum Fit: Int, Sendable {
        /// Codes, links and all vectors.
        case everything
        /// Codes and links; vectors are read from disk, but for the most used.
        case codesAndLinks
        /// Codes; links and vectors are read from disk.
        case codes
        case nothing
    }

    public var definition: IndexDefinition
    /// Codes, links beside them, ids and versions: always in memory.
    public var memoryBytes: Int
    /// Links in a file.
    public var linkBytes: Int
    /// Vectors.
    public var vectorBytes: Int
    /// Vectors, the checkpoint, and the file of links. Payloads and the change log come on top.
    public var diskBytes: Int

    /// How an index of `definition` over `vectors` of a space is laid out.
    ///
    /// - Throws: `INVALID_INDEX_PARAMETER` where the space cannot have it.
    public init(
        _ maker: any PredictableIndexMaker, parameters: [String: String], space: VectorSpace, vectors: Int
    ) throws(KithError) {
        definition = IndexDefinition(kind: maker.kind, parameters: parameters)
        var space = space
        space.index = definition
        let prediction = try maker.predict(space, vectors: vectors)
        let slots = vectors * RowTable.slotBytes
        memoryBytes = prediction.footprint.memoryBytes + slots
        linkBytes = prediction.footprint.linkBytes
        vectorBytes = vectors * space.stride
        diskBytes = vectorBytes + linkBytes + prediction.checkpointBytes + slots
    }

    public func fit(memory: Int) -> Fit {
        if memoryBytes + linkBytes + vectorBytes <= memory { return .everything }
        if memoryBytes + linkBytes <= memory { return .codesAndLinks }
        return memoryBytes <= memory ? .codes : .nothing
    }

    /// The kinds and codes worth comparing for a space, the fastest in memory first.
    public static func candidates(_ space: VectorSpace, vectors: Int) -> [IndexOption] {
        let kinds: [(maker: GraphIndexMaker, codes: [String])] = [
            (.inMemory, ["auto", "sq4"]), (.onDisk, ["sq8", "sq4"]),
        ]
        return kinds.flatMap { kind in
            kind.codes.compactMap { codes in
                // Codes that a metric or element type does not allow are no candidates.
                try? IndexOption(kind.maker, parameters: ["codes": codes], space: space, vectors: vectors)
            }
        }
    }
}
