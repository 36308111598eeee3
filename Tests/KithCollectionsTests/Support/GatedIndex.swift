import KithCore
import KithIndex
import Synchronization

/// An index that links as far as the test lets it, and searches by comparing everything.
final class GatedIndex: VectorIndexReader, VectorIndexWriter {
    private let flat: FlatIndex
    private let gate: Gate
    private let linked = Atomic<UInt32>(0)

    init(_ context: IndexContext, gate: Gate) throws(KithError) {
        flat = try FlatIndex(context)
        self.gate = gate
    }

    var linkedCount: UInt32 { linked.load(ordering: .acquiring) }
    var linkableSlots: UInt32 { .max }

    func search(_ query: IndexQuery, in snapshot: Snapshot) throws(KithError) -> [Neighbour] {
        var seen = snapshot
        if query.indexedOnly { seen.slotCount = min(seen.slotCount, linkedCount) }
        return try flat.search(query, in: seen)
    }

    func expectedComparisons(_ query: IndexQuery, in snapshot: Snapshot) -> Int { Int(snapshot.slotCount) }

    var footprint: IndexFootprint { IndexFootprint() }

    func hasWork(upTo slotCount: UInt32) -> Bool { gate.ask() && linkedCount < slotCount }

    func link(upTo slotCount: UInt32, limit: Int, inHurry: Bool) throws(KithError) -> UInt32 {
        linked.store(min(slotCount, linkedCount + UInt32(limit)), ordering: .releasing)
        return linkedCount
    }

    func checkpoint() -> IndexCheckpoint { IndexCheckpoint(attributes: [:], sections: []) }
}

/// Whether linking goes on.
final class Gate: Sendable {
    private let open = Atomic(false)
    private let asked = Atomic(0)

    var isOpen: Bool { open.load(ordering: .acquiring) }
    /// How often indexes asked.
    var timesAsked: Int { asked.load(ordering: .acquiring) }

    func ask() -> Bool {
        asked.add(1, ordering: .acquiringAndReleasing)
        return isOpen
    }

    func set(_ isOpen: Bool) { open.store(isOpen, ordering: .releasing) }
}

struct GatedIndexMaker: VectorIndexMaker {
    let gate: Gate
    let kind = "gated"

    func check(_ space: VectorSpace) throws(KithError) {}
    func sectionCapacities(_ space: VectorSpace) -> [String: Int] { [:] }
    func make(_ context: IndexContext) throws(KithError) -> any VectorIndex { try GatedIndex(context, gate: gate) }
    func restore(_ context: IndexContext, from checkpoint: RestoredCheckpoint) throws(KithError) -> any VectorIndex {
        try GatedIndex(context, gate: gate)
    }
}
