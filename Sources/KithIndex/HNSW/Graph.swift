internal import CMemory
internal import KithCore
internal import Synchronization

/// The links of a layered small-world graph over slots, in three regions that grow without moving.
///
/// One thread links; any number walk beside it, without a lock. Every word they share is an atomic: a link is stored with
/// release after all that it leads to, and loaded with acquire. A list being rewritten may show old and new links mixed,
/// which a walk survives: each was a true link.
final class Graph: @unchecked Sendable {
    /// The layer lists of one node in one layer: ids plus one, so that zero, what fresh memory holds, ends the list.
    struct Links {
        let words: UnsafeMutablePointer<UInt32>
        let capacity: Int

        /// The slot at an index, nil past the last.
        @inline(__always)
        func slot(at index: Int) -> UInt32? {
            if index == capacity { return nil }
            let word = kith_load_acquire_u32(words + index)
            return word == 0 ? nil : word - 1
        }

        @inline(__always)
        func store(_ slot: UInt32, at index: Int) { kith_store_release_u32(words + index, slot + 1) }

        /// Ends the list at `count`.
        func truncate(to count: Int) {
            for index in count..<capacity { kith_store_release_u32(words + index, 0) }
        }

        var count: Int {
            var count = 0
            while slot(at: count) != nil { count += 1 }
            return count
        }
    }

    /// Where walks begin: a node of the highest layer.
    struct EntryPoint: Equatable {
        var slot: UInt32
        var level: Int
    }

    static let highestLevel = 15

    let m: Int
    /// `2 * m` words a slot.
    let base: GrowableMemory
    /// `m` words a list; a node of level n has n lists that follow each other.
    let upper: GrowableMemory
    /// A word a slot: the number of its first upper list and, in the low byte, its level plus one; zero: not in the graph.
    let nodes: GrowableMemory
    /// Lists given out in `upper`. Only the linking thread's.
    private(set) var upperListCount: Int

    private let published: Atomic<UInt32>
    /// The entry point's level plus one, then its slot; zero: the graph is empty.
    private let entry: Atomic<UInt64>

    init(m: Int, base: GrowableMemory, upper: GrowableMemory, nodes: GrowableMemory) {
        self.m = m
        self.base = base
        self.upper = upper
        self.nodes = nodes
        upperListCount = 0
        published = Atomic(0)
        entry = Atomic(0)
    }

    /// An empty graph.
    convenience init(m: Int) throws(KithError) {
        let capacities = Graph.capacities(m: m)
        self.init(
            m: m, base: try GrowableMemory(capacity: capacities.base), upper: try GrowableMemory(capacity: capacities.upper),
            nodes: try GrowableMemory(capacity: capacities.nodes))
    }

    /// Bytes reserved for each region. One node in m - 1 has an upper list, on average; there is room for twice as many.
    static func capacities(m: Int) -> (base: Int, upper: Int, nodes: Int) {
        let slots = Int(Limits.graphSlots)
        return (base: slots * 2 * m * 4, upper: slots * 2 / (m - 1) * m * 4, nodes: slots * 8)
    }

    // MARK: Reading

    var linkedCount: UInt32 { published.load(ordering: .acquiring) }

    var entryPoint: EntryPoint? {
        let word = entry.load(ordering: .acquiring)
        return word == 0 ? nil : EntryPoint(slot: UInt32(truncatingIfNeeded: word), level: Int(word >> 32) - 1)
    }

    /// The level of a node; nil for a slot that was dead when its turn to be linked came.
    func level(of slot: UInt32) -> Int? {
        let word = node(slot)
        return word == 0 ? nil : Int(word & 0xFF) - 1
    }

    /// The links of a node in a layer that it is in.
    @inline(__always)
    func links(of slot: UInt32, level: Int) -> Links {
        if level == 0 {
            let first = base.base + Int(slot) * 2 * m * 4
            return Links(words: first.assumingMemoryBound(to: UInt32.self), capacity: 2 * m)
        }
        let list = Int(node(slot) >> 8) + level - 1
        return Links(words: (upper.base + list * m * 4).assumingMemoryBound(to: UInt32.self), capacity: m)
    }

    @inline(__always)
    func node(_ slot: UInt32) -> UInt64 {
        kith_load_acquire_u64((nodes.base + Int(slot) * 8).assumingMemoryBound(to: UInt64.self))
    }

    // MARK: Writing, by the linking thread

    /// Gives a slot its place and its level, before any link leads to it.
    func addNode(_ slot: UInt32) -> Int {
        var level = Graph.drawLevel(slot, m: m)
        if (upperListCount + level) * m * 4 > upper.capacity { level = 0 }
        let word = UInt64(upperListCount) << 8 | UInt64(level + 1)
        upperListCount += level
        kith_store_release_u64((nodes.base + Int(slot) * 8).assumingMemoryBound(to: UInt64.self), word)
        return level
    }

    func publish(linkedCount: UInt32) { published.store(linkedCount, ordering: .releasing) }

    func publish(entryPoint: EntryPoint) { entry.store(Graph.word(entryPoint), ordering: .releasing) }

    /// Takes over counts read from a checkpoint, before anybody walks.
    func adopt(linkedCount: UInt32, entryPoint: EntryPoint?, upperListCount: Int) {
        self.upperListCount = upperListCount
        if let entryPoint { publish(entryPoint: entryPoint) }
        publish(linkedCount: linkedCount)
    }

    private static func word(_ entryPoint: EntryPoint) -> UInt64 {
        UInt64(entryPoint.level + 1) << 32 | UInt64(entryPoint.slot)
    }

    /// A slot's level, each level 1/m as likely as the one below: drawn from the slot's number, so that every replica
    /// builds the same graph.
    static func drawLevel(_ slot: UInt32, m: Int) -> Int {
        let hash = mix(UInt64(slot))
        var level = 0
        var threshold = UInt64.max / UInt64(m)
        while hash < threshold, level < highestLevel {
            level += 1
            threshold /= UInt64(m)
        }
        return level
    }

    /// The finalizer of splitmix64: scatters consecutive numbers.
    static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
