internal import CVectorKernels
internal import KithCore
internal import Synchronization

/// Any kind of index over transformed rows, so that it knows nothing of the transform. Rows that have not been transformed yet are scanned here.
final class TransformedIndex: VectorIndexReader, VectorIndexWriter, CheckableIndex, LearnedIndex {
    /// Where a checkpoint keeps the matrix.
    static let section = "transform"
    /// Where it keeps how many rows that was learned from.
    static let learnedFrom = "transform_rows"
    /// Where it keeps how many rows the inner index may know of.
    private static let rowCount = "transformed"

    private let rows: TransformedRows
    private let inner: any VectorIndex

    init(_ rows: TransformedRows, inner: any VectorIndex) {
        self.rows = rows
        self.inner = inner
    }

    private var dimension: Int { rows.source.space.dimension }

    var learnedFrom: UInt32? { rows.learnedFrom }

    var linkedCount: UInt32 { inner.linkedCount }
    /// None before the transform is learned: nothing waits for that.
    var linkableSlots: UInt32 { rows.transform == nil ? 0 : min(inner.linkableSlots, rows.limit) }

    var footprint: IndexFootprint { inner.footprint + IndexFootprint(memoryBytes: rows.memoryBytes) }

    func search(_ query: IndexQuery, in snapshot: Snapshot) throws(KithError) -> [Neighbour] {
        guard query.topK > 0 else { return [] }
        // Read in this order: rows that are there have been transformed with this one.
        let ready = min(rows.count, snapshot.slotCount)
        let transform = rows.transform
        let vector = UnsafeMutablePointer<Float>.allocate(capacity: 3 * dimension)
        defer { vector.deallocate() }
        rows.write(query.vector, transform, to: vector, spare: vector + dimension)
        var found: [Neighbour] = []
        if ready > 0 {
            var inner = query
            inner.vector = UnsafeRawPointer(vector)
            found = try self.inner.search(inner, in: Snapshot(slotCount: ready, position: snapshot.position))
        }
        // Nothing waits to be linked where nothing is.
        if query.indexedOnly, inner.linkableSlots > 0 { return found }
        var untilStop = SearchScratch.rowsBetweenStops
        for slot in ready..<snapshot.slotCount {
            untilStop -= 1
            if untilStop == 0 {
                if query.shouldStop() { throw .searchCancelled }
                untilStop = SearchScratch.rowsBetweenStops
            }
            guard rows.source.deaths.isVisible(slot, at: snapshot.position), query.filter?.contains(slot) ?? true else {
                continue
            }
            rows.write(rows.source.rows.row(slot), transform, to: vector + dimension, spare: vector + 2 * dimension)
            found.append(Neighbour(distance: FloatKernels.l2.distance(vector, vector + dimension, dimension, 1), slot: slot))
        }
        found.sort { ($0.distance, $0.slot) < ($1.distance, $1.slot) }
        return Array(found.prefix(query.topK))
    }

    func expectedComparisons(_ query: IndexQuery, in snapshot: Snapshot) -> Int {
        let ready = min(rows.count, snapshot.slotCount)
        // A row that is to be transformed costs as many comparisons as it has dimensions.
        return inner.expectedComparisons(query, in: Snapshot(slotCount: ready, position: snapshot.position))
            + Int(snapshot.slotCount - ready) * dimension
    }

    func hasWork(upTo slotCount: UInt32) -> Bool {
        if rows.transform == nil, slotCount < TransformedRows.fewestRows { return false }
        return rows.count < min(slotCount, rows.limit) || inner.hasWork(upTo: min(slotCount, rows.count))
    }

    func link(upTo slotCount: UInt32, limit: Int, inHurry: Bool) throws(KithError) -> UInt32 {
        // Ahead of the links: transforming is the cheaper of the two, and scans here are the dearer.
        let ahead = Int(rows.count) + max(4 * limit, Int(TransformedRows.fewestRows))
        rows.advance(upTo: UInt32(min(Int(slotCount), ahead)), of: slotCount)
        if inner.hasWork(upTo: rows.count) {
            _ = try inner.link(upTo: rows.count, limit: limit, inHurry: inHurry)
        }
        return linkedCount
    }

    // MARK: Checkpoint

    func checkpoint() -> IndexCheckpoint {
        var checkpoint = inner.checkpoint()
        let bytes = kept.withLock { kept in
            let made = OwnedBytes(rows.transform.map(TransformedIndex.bytes) ?? [])
            kept = made
            return made.view.bytes
        }
        checkpoint.sections.append(IndexCheckpoint.Section(name: TransformedIndex.section, bytes: bytes))
        if let learnedFrom { checkpoint.attributes[TransformedIndex.learnedFrom] = UInt64(learnedFrom) }
        checkpoint.attributes[TransformedIndex.rowCount] = UInt64(rows.count)
        return checkpoint
    }

    /// The rows that an index of a checkpoint was made over.
    ///
    /// - Throws: `CORRUPTION` where it does not say.
    static func rowCount(in checkpoint: RestoredCheckpoint) throws(KithError) -> UInt32 {
        guard let count = checkpoint.attributes[rowCount].flatMap(UInt32.init(exactly:)) else {
            throw KithError(.dataLoss, .corruption, "the checkpoint of an index does not say how many rows were transformed")
        }
        return count
    }

    /// - Throws: `CORRUPTION` when rows are not what the transform makes of the vectors, or the inner index is not what it must be.
    package func checkInvariants() throws(KithError) {
        guard inner.linkedCount <= rows.count else {
            throw KithError(.dataLoss, .corruption, "\(inner.linkedCount) rows are linked, of \(rows.count) that are transformed")
        }
        if let slot = rows.firstWrong() {
            throw KithError(.dataLoss, .corruption, "row \(slot) is not the transform of its vector")
        }
        try (inner as? any CheckableIndex)?.checkInvariants()
    }

    /// The matrix of the last checkpoint, while it is written.
    private let kept = Mutex<OwnedBytes?>(nil)

    private static func bytes(_ transform: LinearTransform) -> [UInt8] {
        var bytes: [UInt8] = []
        for value in transform.rows { bytes.appendLittleEndian(value.bitPattern) }
        return bytes
    }

    /// - Throws: `CORRUPTION` when there is something else than a matrix, or nothing.
    static func transform(in checkpoint: RestoredCheckpoint, dimension: Int) throws(KithError) -> LinearTransform? {
        guard let section = checkpoint.sections[section], [0, 4 * dimension * dimension].contains(section.byteCount) else {
            throw KithError(.dataLoss, .corruption, "the checkpoint of an index has no transform of \(dimension) dimensions")
        }
        if section.byteCount == 0 { return nil }
        let bytes = UnsafeRawBufferPointer(start: section.memory.base, count: section.byteCount)
        let values = (0..<dimension * dimension).map { Float(bitPattern: bytes.littleEndian(at: 4 * $0)) }
        guard values.allSatisfy(\.isFinite) else {
            throw KithError(.dataLoss, .corruption, "the checkpoint of an index has a transform with numbers that are none")
        }
        return LinearTransform(dimension: dimension, rows: values)
    }
}

/// As the inner index does, if it can.
extension TransformedIndex: TieredIndex {
    private var tiers: (any TieredIndex)? { inner as? any TieredIndex }

    var keepsLinksInMemory: Bool {
        get { tiers?.keepsLinksInMemory ?? true }
        set { tiers?.keepsLinksInMemory = newValue }
    }

    func releaseLinks() { tiers?.releaseLinks() }
}
