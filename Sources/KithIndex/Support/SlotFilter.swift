internal import CRoaring
internal import KithCore
internal import Synchronization

/// A set of slots that a search may answer with: a compressed bitmap (Roaring, arXiv 1709.07821), never changed once made.
///
/// Safe to use from any thread, and meant to be kept: what a walk asks of it is prepared once.
public final class SlotFilter: @unchecked Sendable {
    /// How many slots it holds.
    public let cardinality: Int
    private let bitmap: UnsafeMutablePointer<roaring_bitmap_t>
    /// Made for the first walk.
    private let walkBits = Mutex<SlotBits?>(nil)

    /// O(slots), cheapest in ascending order. A slot may come twice.
    public convenience init(_ slots: some Sequence<UInt32>) {
        let bitmap = SlotFilter.created(roaring_bitmap_create())
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 1_024) { block in
            var count = 0
            for slot in slots {
                block[count] = slot
                count += 1
                if count == block.count {
                    roaring_bitmap_add_many(bitmap, count, block.baseAddress)
                    count = 0
                }
            }
            roaring_bitmap_add_many(bitmap, count, block.baseAddress)
        }
        self.init(taking: bitmap)
    }

    public convenience init(_ range: Range<UInt32>) {
        self.init(
            taking: SlotFilter.created(
                range.isEmpty
                    ? roaring_bitmap_create()
                    : roaring_bitmap_from_range(UInt64(range.lowerBound), UInt64(range.upperBound), 1)))
    }

    private init(taking bitmap: UnsafeMutablePointer<roaring_bitmap_t>) {
        self.bitmap = bitmap
        cardinality = Int(roaring_bitmap_get_cardinality(bitmap))
    }

    deinit {
        walkBits.withLock { $0?.deallocate() }
        roaring_bitmap_free(bitmap)
    }

    /// CRoaring answers null only where there is no memory left, which Swift itself does not survive either.
    private static func created(_ bitmap: UnsafeMutablePointer<roaring_bitmap_t>?) -> UnsafeMutablePointer<roaring_bitmap_t> {
        guard let bitmap else { fatalError("no memory for a bitmap") }
        return bitmap
    }

    // MARK: Sets

    public func intersection(_ other: SlotFilter) -> SlotFilter {
        SlotFilter(taking: SlotFilter.created(roaring_bitmap_and(bitmap, other.bitmap)))
    }

    public func union(_ other: SlotFilter) -> SlotFilter {
        SlotFilter(taking: SlotFilter.created(roaring_bitmap_or(bitmap, other.bitmap)))
    }

    public func subtracting(_ other: SlotFilter) -> SlotFilter {
        SlotFilter(taking: SlotFilter.created(roaring_bitmap_andnot(bitmap, other.bitmap)))
    }

    // MARK: Asking

    /// O(log slots); a walk asks `bits`.
    public func contains(_ slot: UInt32) -> Bool { roaring_bitmap_contains(bitmap, slot) }

    /// It is cheaper to compare the matches alone where it lets no more than one in this many of a range through.
    private static let denseShare = 4

    /// Whether what matches in a range is so little that one should go from match to match, not from slot to slot.
    func isSparse(in range: Range<UInt32>) -> Bool { count(in: range) * Self.denseShare <= range.count }

    /// How many of a range it holds. O(containers): one for each 65,536 slots.
    public func count(in range: Range<UInt32>) -> Int {
        func below(_ bound: UInt32) -> Int { bound == 0 ? 0 : Int(roaring_bitmap_rank(bitmap, bound - 1)) }
        return range.isEmpty ? 0 : below(range.upperBound) - below(range.lowerBound)
    }

    /// One bit a slot, for hot loops. Good while the filter lives. O(greatest slot) the first time.
    package var bits: SlotBits {
        walkBits.withLock { bits in
            if let bits { return bits }
            let made = makeBits()
            bits = made
            return made
        }
    }

    private func makeBits() -> SlotBits {
        let bits = SlotBits(slotCount: cardinality == 0 ? 0 : Int(roaring_bitmap_maximum(bitmap)) + 1)
        withUnsafeTemporaryAllocation(byteCount: roaring_bitmap_portable_size_in_bytes(bitmap), alignment: 8) { bytes in
            _ = roaring_bitmap_portable_serialize(bitmap, bytes.baseAddress)
            bits.fill(portable: UnsafeRawBufferPointer(bytes))
        }
        return bits
    }

    /// Goes through the slots of a range in ascending order, one after another.
    struct Cursor: ~Copyable {
        private var iterator = roaring_uint32_iterator_t()
        private let end: UInt32

        /// The filter must outlive it.
        init(_ filter: SlotFilter, in range: Range<UInt32>) {
            end = range.upperBound
            roaring_init_iterator(filter.bitmap, &iterator)
            _ = roaring_move_uint32_iterator_equalorlarger(&iterator, range.lowerBound)
        }

        /// Stores the next slots, at most `limit`, and answers how many there were; 0 at the end.
        mutating func next(into slots: UnsafeMutablePointer<UInt32>, limit: Int) -> Int {
            var count = Int(roaring_read_uint32_iterator(&iterator, slots, UInt32(limit)))
            while count > 0, slots[count - 1] >= end { count -= 1 }
            return count
        }
    }

    func cursor(in range: Range<UInt32>) -> Cursor { Cursor(self, in: range) }
}
