import CMemory
import KithCore
import KithIndex
import KithStorage
import Synchronization

/// Which segments of a space's vectors may be mapped, and how much each is used.
///
/// Searches ask and count without a lock; one thread, the governor's, decides.
final class RowTiers: RowSource, @unchecked Sendable {
    private let segments: VectorSegments
    private let limited: Atomic<Bool>
    /// By segment: uses since the governor last looked (a count may be lost to a race: it is a measure), and whether it is mapped.
    private let uses: UnsafeMutablePointer<UInt32>
    private let mapped: UnsafeMutablePointer<UInt32>
    /// By segment: uses, of which each round forgets half. Of the governor.
    private var heats: [Double] = []

    /// - Parameter limited: nothing is mapped until the governor says so; else everything is.
    init(_ segments: VectorSegments, limited: Bool) {
        self.segments = segments
        self.limited = Atomic(limited)
        let capacity = Int(segments.capacity) / segments.rowsPerSegment + 1
        uses = .allocate(capacity: capacity)
        uses.initialize(repeating: 0, count: capacity)
        mapped = .allocate(capacity: capacity)
        mapped.initialize(repeating: 0, count: capacity)
    }

    deinit {
        uses.deallocate()
        mapped.deallocate()
    }

    var isLimited: Bool { limited.load(ordering: .relaxed) }

    func isRead(_ slot: UInt32) -> Bool {
        guard isLimited else { return false }
        let segment = Int(slot) / segments.rowsPerSegment
        kith_store_relaxed_u32(uses + segment, kith_load_relaxed_u32(uses + segment) &+ 1)
        return !isMapped(segment)
    }

    func read(_ slots: UnsafeBufferPointer<UInt32>, into buffer: UnsafeMutableRawPointer) throws(KithError) {
        try segments.read(slots, into: buffer)
    }

    /// Bytes that a scan leaves in memory behind itself at most.
    private static let passedBytes = 4 << 20

    func passed(_ slots: Range<UInt32>) {
        guard isLimited else { return }
        func piece(_ slot: UInt32) -> Int { Int(slot) * segments.stride / Self.passedBytes }
        for piece in piece(slots.lowerBound)..<piece(slots.upperBound) {
            let start = piece * Self.passedBytes
            if !isMapped(start / segmentBytes) { segments.releasePages(start..<start + Self.passedBytes) }
        }
    }

    // MARK: The governor's

    var segmentBytes: Int { segments.segmentBytes }
    var segmentCount: Int { segments.segmentCount }
    func isMapped(_ segment: Int) -> Bool { kith_load_relaxed_u32(mapped + segment) != 0 }

    /// Bytes of segments that may be mapped.
    var mappedBytes: Int {
        isLimited ? (0..<segments.segmentCount).count { isMapped($0) } * segmentBytes : segments.segmentCount * segmentBytes
    }

    /// How hot each segment is, by its uses since the last rounds.
    func measure() -> [Double] {
        heats += Array(repeating: 0, count: segments.segmentCount - heats.count)
        for segment in heats.indices {
            heats[segment] = heats[segment] / 2 + Double(kith_load_relaxed_u32(uses + segment))
            kith_store_relaxed_u32(uses + segment, 0)
        }
        return heats
    }

    /// Lets everything be mapped.
    func lift() { limited.store(false, ordering: .relaxed) }

    /// Lets just these segments be mapped; the others are read, and leave the process. Answers how many came and went.
    func keep(_ wanted: Set<Int>) -> (promoted: Int, demoted: Int) {
        var changes = (promoted: 0, demoted: 0)
        for segment in 0..<segments.segmentCount where wanted.contains(segment) != isMapped(segment) {
            kith_store_relaxed_u32(mapped + segment, wanted.contains(segment) ? 1 : 0)
            if wanted.contains(segment) { changes.promoted += 1 } else { changes.demoted += 1 }
        }
        limited.store(true, ordering: .relaxed)
        releaseRead()
        return changes
    }

    /// Takes out of the process what scans and linking have mapped of segments that are to be read.
    func releaseRead() {
        guard isLimited else { return }
        for segment in 0..<segments.segmentCount where !isMapped(segment) { segments.releasePages(segment: segment) }
    }
}
