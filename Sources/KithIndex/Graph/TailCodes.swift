internal import CVectorKernels
internal import KithCore
internal import Synchronization

/// Codes of a byte a component of vectors that wait to be linked: searches scan these, a quarter of the bytes, and compare the rows of those alone
/// that may be near enough.
///
/// A ring, in which slot `s` has place `s % capacity`. The thread that links encodes ahead of its linking; a place is used again when no search
/// can be looking at it any more.
final class TailCodes: @unchecked Sendable {
    /// Slots there is room for; what is behind them is compared row by row.
    static let capacity: UInt32 = 1 << 14
    private static let line = 64

    private let rows: VectorRows
    let element: UInt8
    private let memory: GrowableMemory
    /// How the ring's codes are compared; lives as long as the ring.
    let records: UnsafePointer<kith_records>
    /// Codes of the slots from `first` up to `end` are there.
    private let first = Atomic<UInt32>(0)
    private let end = Atomic<UInt32>(0)

    // Of the thread that links.
    private let components: UnsafeMutablePointer<Float>
    /// Slots below this were linked before any search under way began: their places are free.
    private var free: UInt32 = 0
    /// What `free` becomes after so many more epochs.
    private var next: (slot: UInt32, epochs: Int)?

    /// Nil where codes would not be smaller than rows, or are not compared as the space is.
    init?(_ context: IndexContext) throws(KithError) {
        let space = context.space
        guard [.float32, .float16, .bfloat16].contains(space.element), context.rows.kernel == nil else { return nil }
        let codeBytes = kith_node_bytes(UInt8(KITH_CODE_SCALAR8), space.element.rawValue, space.dimension)
        let factorsOffset = (codeBytes + 3) / 4 * 4
        let stride = (factorsOffset + MemoryLayout<kith_node_factors>.size + Self.line - 1) / Self.line * Self.line
        memory = try GrowableMemory(capacity: Int(Self.capacity) * stride)
        let base = memory.base.assumingMemoryBound(to: UInt8.self)
        var records = kith_records(
            base: base, stride: stride, code_bytes: UInt32(codeBytes), factors_offset: UInt32(factorsOffset), links: base,
            links_stride: 0, link_capacity: 0, links_file: -1, capacity: Self.capacity, dimension: UInt32(space.dimension),
            code: UInt8(KITH_CODE_SCALAR8), metric: space.metric.rawValue, compared_bytes: 0, distances: nil, distance: nil)
        guard kith_records_bind(&records, space.element.rawValue, nil) else { return nil }
        let place = UnsafeMutablePointer<kith_records>.allocate(capacity: 1)
        place.initialize(to: records)
        self.records = UnsafePointer(place)
        rows = context.rows
        element = space.element.rawValue
        components = .allocate(capacity: space.dimension)
    }

    deinit {
        records.deallocate()
        components.deallocate()
    }

    // MARK: Searching

    /// The slots of a tail whose codes are there. To be asked by a search that the epochs know of, after it read how far the index was linked.
    func encoded(in tail: Range<UInt32>) -> Range<UInt32> {
        // In this order: `first` rises before `end` passes over what was never encoded.
        let end = min(self.end.load(ordering: .acquiring), tail.upperBound)
        let first = max(self.first.load(ordering: .acquiring), tail.lowerBound)
        return first < end ? first..<end : tail.lowerBound..<tail.lowerBound
    }

    @inline(__always)
    static func place(of slot: UInt32) -> UInt32 { slot % capacity }

    // MARK: Encoding, by the thread that links

    /// Encodes the vectors that are not linked, as far as there is room. O(new ones).
    func encode(from linked: UInt32, upTo slotCount: UInt32, epochs: ReaderEpochs) {
        freePlaces(below: linked, epochs)
        var slot = end.load(ordering: .relaxed)
        if slot < linked {
            first.store(linked, ordering: .releasing)
            slot = linked
        }
        let limit = min(slotCount, free.addingReportingOverflow(Self.capacity).partialValue)
        guard slot < limit else { return }
        for slot in slot..<limit { encode(slot) }
        rows.passed(slot..<limit)
        end.store(limit, ordering: .releasing)
    }

    private func encode(_ slot: UInt32) {
        let record = memory.base + Int(Self.place(of: slot)) * records.pointee.stride
        kith_node_encode(
            records, element, rows.row(slot), components, record.assumingMemoryBound(to: UInt8.self),
            (record + Int(records.pointee.factors_offset)).assumingMemoryBound(to: kith_node_factors.self))
    }

    private func freePlaces(below linked: UInt32, _ epochs: ReaderEpochs) {
        if next == nil, linked > free { next = (linked, 2) }
        while let (slot, left) = next, epochs.advance() {
            next = left > 1 ? (slot, left - 1) : nil
            if left == 1 { free = slot }
        }
    }
}
