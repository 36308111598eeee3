public import CMemory
internal import CVectorKernels
public import Foundation
public import KithCore

/// The stored vectors of one space in one shard: row `slot` begins at `base + slot * stride`, and never moves.
public struct VectorRows: @unchecked Sendable {
    /// Where row 0 begins.
    public let base: UnsafeRawPointer
    /// Bytes from one row to the next.
    public let stride: Int
    /// How they are compared, where not by the space's metric.
    var kernel: UnsafePointer<kith_kernel>?
    /// Told what scans have passed; kept alive by the context. Counting references would cost each search.
    unowned(unsafe) var source: (any RowSource)?

    public init(base: UnsafeRawPointer, stride: Int) {
        self.base = base
        self.stride = stride
    }

    /// The vector of a slot; zeros where nothing was stored. O(1).
    @inlinable
    public func row(_ slot: UInt32) -> UnsafeRawPointer { base + Int(slot) * stride }

    /// Says that a scan is done with these rows, one of many pieces that follow each other: they need not stay in memory for it.
    func passed(_ slots: Range<UInt32>) { source?.passed(slots) }
}

/// When each slot died: zero while it lives, else the position of the commit that replaced or deleted it.
///
/// One writer stores, readers load with acquire; with `Snapshot` it gives every search one consistent view, without a lock.
public struct SlotDeaths: @unchecked Sendable {
    /// By slot.
    public let base: UnsafeMutablePointer<UInt64>

    public init(base: UnsafeMutablePointer<UInt64>) { self.base = base }

    /// Begins to fetch what is known of the slot.
    @inlinable
    public func prefetch(_ slot: UInt32) { kith_prefetch(base + Int(slot)) }

    /// Whether a search at `position` sees the slot.
    @inlinable
    public func isVisible(_ slot: UInt32, at position: LogPosition) -> Bool {
        let death = kith_load_acquire_u64(base + Int(slot))
        return death == 0 || death > position
    }

    /// Whether the slot is dead for every search that starts from now on.
    @inlinable
    public func isDead(_ slot: UInt32) -> Bool { kith_load_acquire_u64(base + Int(slot)) != 0 }

    /// Called by the shard's writer alone.
    @inlinable
    public func kill(_ slot: UInt32, at position: LogPosition) { kith_store_release_u64(base + Int(slot), position) }
}

/// What a search may see: slots below `slotCount` that are visible at `position`.
public struct Snapshot: Sendable {
    /// Slots that had been given out.
    public var slotCount: UInt32
    /// The commit that the search stands at.
    public var position: LogPosition

    public init(slotCount: UInt32, position: LogPosition) {
        self.slotCount = slotCount
        self.position = position
    }
}

/// What an index is made over.
public struct IndexContext: Sendable {
    /// What is stored, how it is compared, and the kind's parameters.
    public var space: VectorSpace
    /// Grow in place while the index lives.
    public var rows: VectorRows
    /// Of the same slots.
    public var deaths: SlotDeaths
    /// For rows that shall not stay in memory; nil: all may.
    public var reader: (any RowSource)?
    /// A folder for what an index keeps on disk while it is open.
    public var scratchDirectory: String

    public init(
        space: VectorSpace, rows: VectorRows, deaths: SlotDeaths, reader: (any RowSource)? = nil,
        scratchDirectory: String = NSTemporaryDirectory()
    ) {
        self.space = space
        self.rows = rows
        self.rows.source = reader
        self.deaths = deaths
        self.reader = reader
        self.scratchDirectory = scratchDirectory
    }
}

/// One search of one index.
public struct IndexQuery {
    /// The query vector, in the space's element type, `space.vectorBytes` long.
    public var vector: UnsafeRawPointer
    /// Neighbours wanted.
    public var topK: Int
    /// Candidates kept while searching; nil is the index's default. At least `topK` is used.
    public var effort: Int?
    /// Wanted recall, 0.5 to 1, for the index to choose an effort where none is given.
    public var recallTarget: Float?
    /// Compare with every visible vector.
    public var exact: Bool
    /// Leaves out the vectors that are not linked yet.
    public var indexedOnly: Bool
    /// The only slots that may be answered; nil: all. Every kind honours it, exactly where the search is exact.
    public var filter: SlotFilter?
    /// Asked now and then during long scans; true abandons the search with `CANCELLED`.
    public var shouldStop: () -> Bool

    public init(
        vector: UnsafeRawPointer, topK: Int, effort: Int? = nil, recallTarget: Float? = nil, exact: Bool = false,
        indexedOnly: Bool = false, filter: SlotFilter? = nil, shouldStop: @escaping () -> Bool = { false }
    ) {
        self.vector = vector
        self.topK = topK
        self.effort = effort
        self.recallTarget = recallTarget
        self.exact = exact
        self.indexedOnly = indexedOnly
        self.filter = filter
        self.shouldStop = shouldStop
    }
}

/// A found slot. `distance` is smaller for nearer vectors (see `Metric`).
public struct Neighbour: Sendable, Hashable {
    public var distance: Float
    public var slot: UInt32

    @inlinable
    public init(distance: Float, slot: UInt32) {
        self.distance = distance
        self.slot = slot
    }
}

/// The read half of an index. Any number of threads search at once, beside the one that links; none takes a lock.
public protocol VectorIndexReader: AnyObject, Sendable {
    /// Every slot below this is linked (or dead); a search scans the rest, the tail, one by one.
    /// A flat index links nothing: its tail is everything.
    var linkedCount: UInt32 { get }

    /// Slots below this are linked, sooner or later; later ones are always scanned. 0 for an index that links nothing.
    var linkableSlots: UInt32 { get }

    /// The nearest visible slots, nearest first (ties: the smaller slot first), at most `topK`. Finds everything in `snapshot`
    /// that the tail holds, whatever the effort.
    ///
    /// - Throws: `CANCELLED` when `shouldStop` said so.
    func search(_ query: IndexQuery, in snapshot: Snapshot) throws(KithError) -> [Neighbour]

    /// The answers to several searches of one snapshot, each as `search` gives it.
    ///
    /// - Throws: `CANCELLED` when any of them said so.
    func search(_ queries: [IndexQuery], in snapshot: Snapshot) throws(KithError) -> [[Neighbour]]

    /// Rows a search is expected to compare, to choose where it runs.
    func expectedComparisons(_ query: IndexQuery, in snapshot: Snapshot) -> Int

    /// What it takes beside the vectors, for budgets. Any thread may ask.
    var footprint: IndexFootprint { get }
}

extension VectorIndexReader {
    public func search(_ queries: [IndexQuery], in snapshot: Snapshot) throws(KithError) -> [[Neighbour]] {
        try searchEach(queries, in: snapshot)
    }

    /// One after another.
    func searchEach(_ queries: [IndexQuery], in snapshot: Snapshot) throws(KithError) -> [[Neighbour]] {
        var answers: [[Neighbour]] = []
        answers.reserveCapacity(queries.count)
        for query in queries { answers.append(try search(query, in: snapshot)) }
        return answers
    }
}

/// The write half of an index. One thread at a time calls it.
public protocol VectorIndexWriter: AnyObject, Sendable {
    /// Whether `link` has something to do: slots to link, or upkeep of what is linked.
    func hasWork(upTo slotCount: UInt32) -> Bool

    /// Links at most `limit` more slots below `slotCount`, in order; answers the new `linkedCount`. May spend as much
    /// again, twice, on upkeep.
    ///
    /// - Parameter inHurry: searches pay for each slot that waits: an index that can link faster now, and make up for it
    ///   once none waits, is to.
    func link(upTo slotCount: UInt32, limit: Int, inHurry: Bool) throws(KithError) -> UInt32

    /// The state to be written by the caller; valid until the next `link`.
    func checkpoint() -> IndexCheckpoint
}

extension VectorIndexWriter {
    /// Links with all the care there is.
    public func link(upTo slotCount: UInt32, limit: Int) throws(KithError) -> UInt32 {
        try link(upTo: slotCount, limit: limit, inHurry: false)
    }
}

/// Both halves.
public typealias VectorIndex = VectorIndexReader & VectorIndexWriter

/// An index that can tell whether it is what it must be.
package protocol CheckableIndex: AnyObject {
    /// - Throws: `CORRUPTION`, saying what is wrong. O(size of the index); nobody links meanwhile.
    func checkInvariants() throws(KithError)
}

/// An index's state as named regions, ready to be written to a file and to be mapped again.
public struct IndexCheckpoint {
    public struct Section {
        public var name: String
        public var bytes: UnsafeRawBufferPointer
        /// Keeps the bytes alive, where the index does not.
        let owner: AnyObject?

        public init(name: String, bytes: UnsafeRawBufferPointer, owner: AnyObject? = nil) {
            self.name = name
            self.bytes = bytes
            self.owner = owner
        }
    }

    /// Small numbers: format version, parameters, counts.
    public var attributes: [String: UInt64]
    public var sections: [Section]

    public init(attributes: [String: UInt64], sections: [Section]) {
        self.attributes = attributes
        self.sections = sections
    }
}

/// A checkpoint read back: each section lies at the start of a region that can grow.
public struct RestoredCheckpoint {
    public var attributes: [String: UInt64]
    public var sections: [String: (memory: GrowableMemory, byteCount: Int)]

    public init(attributes: [String: UInt64], sections: [String: (memory: GrowableMemory, byteCount: Int)]) {
        self.attributes = attributes
        self.sections = sections
    }
}

/// Makes indexes of one kind.
public protocol VectorIndexMaker: Sendable {
    /// The name under which collections ask for it, such as `graph`.
    var kind: String { get }

    /// Checks the parameters of a definition before a collection is made.
    ///
    /// - Throws: `INVALID_INDEX_PARAMETER` with field `index.parameters["degree"]` and so on.
    func check(_ space: VectorSpace) throws(KithError)

    /// Region capacities a checkpoint's sections need, by section name, of all that one may have.
    func sectionCapacities(_ space: VectorSpace) -> [String: Int]

    func make(_ context: IndexContext) throws(KithError) -> any VectorIndex

    /// - Throws: `CORRUPTION` when the checkpoint does not fit; the caller then makes a fresh index.
    func restore(_ context: IndexContext, from checkpoint: RestoredCheckpoint) throws(KithError) -> any VectorIndex
}
