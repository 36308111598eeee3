import Foundation
import KithCore
import KithIndex
import KithStorage

/// One vector space of one shard: its segments, its checkpoint, and whether rows and points agree on which slot is whose.
final class SpaceCheck {
    private let space: VectorSpace
    private let slotCount: UInt32
    private let directory: String
    private let place: String
    private var segments: VectorSegments?
    /// Slots whose vectors were compared with their digests.
    private var checked: SlotSet
    /// Those that did not match.
    private var wrong: Set<UInt32> = []
    /// Slots that a living point has.
    private var claimed: SlotSet

    init(_ space: VectorSpace, slotCount: UInt32, directory: String, place: String) {
        self.space = space
        self.slotCount = slotCount
        self.directory = directory
        self.place = place
        checked = SlotSet(slotCount)
        claimed = SlotSet(slotCount)
    }

    private var checkpointPath: String { "\(directory)/checkpoint" }
    private var checkpointPlace: String { "\(place)/checkpoint" }

    func run(_ registry: IndexRegistry, _ state: ShardState, _ report: inout CheckReport) {
        let vectors = "\(directory)/vectors"
        // Opening would make what is missing.
        guard access(vectors, F_OK) == 0 else {
            if slotCount > 0 { report.problem(place, "\(vectors) is missing, with \(slotCount) vectors") }
            return
        }
        segments = report.attempt(place) { [space] _ throws(KithError) in
            try VectorSegments(directory: vectors, stride: space.stride, vectorBytes: space.vectorBytes)
        }
        guard let segments else { return }
        guard slotCount <= segments.capacity else {
            return report.problem(place, "the state counts \(slotCount) slots, more than there can be")
        }
        _ = report.attempt(checkpointPlace, derivedFile: checkpointPath) { report throws(KithError) in
            try checkpoint(registry, segments, state, &report)
        }
    }

    /// Every section whole, and an index that it restores to.
    private func checkpoint(
        _ registry: IndexRegistry, _ segments: VectorSegments, _ state: ShardState, _ report: inout CheckReport
    ) throws(KithError) {
        // The folder that is checked stays as it is: what an index keeps on disk meanwhile lies elsewhere.
        let indexPlace = IndexPlace(
            vectors: VectorRows(base: segments.base, stride: segments.stride), slots: segments.capacity,
            directory: NSTemporaryDirectory())
        let restored = try SpaceStore.load(
            space, path: checkpointPath, indexPlace, registry, state: state)
        guard let restored else { return report.found(checkpointPlace, "none: the next start makes it again") }
        let index = restored.built.index
        try (index as? any CheckableIndex)?.checkInvariants()
        guard restored.slotCount <= slotCount, index.linkedCount <= restored.slotCount else {
            throw KithError(
                .dataLoss, .corruption,
                "\(checkpointPath) counts \(restored.slotCount) slots and links "
                    + "\(index.linkedCount); the store counts \(slotCount)")
        }
        report.found(
            checkpointPlace,
            "position \(restored.position), \(restored.slotCount) slots, \(restored.built.definition.kind), \(index.linkedCount) linked"
        )
    }

    /// Compares a vector with the digest that somebody names it by.
    ///
    /// - Parameter again: also where another's digest of the slot was compared before. Commits name each vector twice.
    func checkVector(
        _ vector: PointImage.VectorReference, again: Bool = false, _ owner: @autoclosure () -> String, _ report: inout CheckReport
    ) throws(KithError) {
        guard vector.slot < slotCount else {
            throw KithError(
                .dataLoss, .corruption, "\(owner()) names slot \(vector.slot) of '\(space.name)', which has \(slotCount)")
        }
        guard let segments, checked.insert(vector.slot) || again else { return }
        guard vector.digest != PointImage.VectorReference.erasedDigest else { return }
        guard checksum64(segments.read(vector.slot).bytes) != vector.digest else { return }
        wrong.insert(vector.slot)
        report.problem(place, "the vector of \(owner()), slot \(vector.slot), does not match its digest")
    }

    /// A living point has the slot: nobody else does, and the row table knows.
    func claim(_ slot: UInt32, _ point: PointID, version: UInt64, _ rows: RowTable?, _ report: inout CheckReport) {
        guard claimed.insert(slot) else {
            return report.problem(place, "slot \(slot) belongs to two points, one of them \(point)")
        }
        guard let rows else { return }
        // One that does not match its digest was reported above, and recovery keeps it out of searches.
        guard !rows.deaths.isDead(slot) || wrong.contains(slot) else {
            return report.problem(
                checkpointPlace, "slot \(slot) of point \(point) is dead after recovery", derivedFile: checkpointPath)
        }
        if rows.id(slot) != point || rows.version(slot) != version {
            report.problem(
                checkpointPlace, "slot \(slot) is of point \(point), version \(version); recovery makes it another's",
                derivedFile: checkpointPath)
        }
    }

    /// What no point has is dead.
    func checkDead(_ rows: RowTable, _ report: inout CheckReport) {
        for slot in 0..<slotCount where !claimed.contains(slot) && !rows.deaths.isDead(slot) {
            report.problem(
                checkpointPlace, "slot \(slot) is of no point, and living after recovery", derivedFile: checkpointPath)
        }
    }

    func finish(_ report: inout CheckReport) {
        report.found(place, "\(claimed.count) vectors, \(checked.count) of \(slotCount) slots compared with their digests")
    }
}

/// A set of slots below a bound, one bit each.
struct SlotSet {
    private var words: [UInt64]
    private(set) var count = 0

    init(_ slotCount: UInt32) { words = Array(repeating: 0, count: (Int(slotCount) + 63) / 64) }

    func contains(_ slot: UInt32) -> Bool { words[Int(slot / 64)] & (1 << UInt64(slot % 64)) != 0 }

    /// Whether it was not there before.
    mutating func insert(_ slot: UInt32) -> Bool {
        if contains(slot) { return false }
        words[Int(slot / 64)] |= 1 << UInt64(slot % 64)
        count += 1
        return true
    }
}
