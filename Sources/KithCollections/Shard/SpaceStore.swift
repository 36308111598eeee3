#if canImport(Glibc)
    import Glibc
#endif
import KithCore
import KithIndex
import KithStorage
import KithTelemetry
import Synchronization

/// One vector space of one shard: its vectors on disk, what is known of each slot, and the index over them.
final class SpaceStore: Sendable {
    let space: VectorSpace
    let segments: VectorSegments
    let rows: RowTable
    /// Which of the vectors may be mapped.
    let tiers: RowTiers
    let index: any VectorIndex
    let checkpointPath: String
    /// The commit up to which the checkpoint on disk is complete; 0 without one.
    let checkpointPosition: Atomic<UInt64>
    /// Slots that had nothing to wait for in the checkpoint, to tell when another is worth its writing.
    let checkpointSettledSlots: Atomic<Int>

    /// Opens a space, from its checkpoint where that is whole and not ahead of the store.
    ///
    /// - Parameters:
    ///   - state: what the store says; a checkpoint that is newer, or older than the log reaches back, is not used.
    ///   - limited: there is a memory budget: nothing is mapped that need not be.
    init(
        _ space: VectorSpace, directory: String, registry: IndexRegistry, state: ShardState, limited: Bool = false
    ) throws(KithError) {
        self.space = space
        segments = try VectorSegments(
            directory: "\(directory)/vectors", stride: space.stride, vectorBytes: space.vectorBytes)
        checkpointPath = "\(directory)/checkpoint"
        let maker = try registry.maker(space.index.kind)
        tiers = RowTiers(segments, limited: limited)
        let place = IndexPlace(
            vectors: VectorRows(base: segments.base, stride: segments.stride), slots: segments.capacity, reader: tiers,
            directory: directory)
        let restored = SpaceStore.restore(space, path: checkpointPath, place, maker: maker, state: state)
        if let restored {
            (rows, index) = (restored.rows, restored.index)
        } else {
            rows = try RowTable(slots: segments.capacity)
            index = try maker.make(place.context(space, rows.deaths))
        }
        if limited { (index as? any TieredIndex)?.keepsLinksInMemory = false }
        checkpointPosition = Atomic(restored?.position ?? 0)
        checkpointSettledSlots = Atomic(0)
        checkpointSettledSlots.store(settledSlots(restored?.slotCount ?? 0), ordering: .relaxed)
    }

    /// Vectors that wait to be linked.
    func tail(slotCount: UInt32) -> Int {
        max(0, Int(min(slotCount, index.linkableSlots)) - Int(index.linkedCount))
    }

    /// Slots that are not of the tail.
    func settledSlots(_ slotCount: UInt32) -> Int { Int(slotCount) - tail(slotCount: slotCount) }

    // MARK: Checkpoint

    struct Restored {
        var rows: RowTable
        var index: any VectorIndex
        var position: LogPosition
        var slotCount: UInt32
    }

    /// Nil when there is no checkpoint to trust: everything in it can be made again, so damage costs time, never data.
    private static func restore(
        _ space: VectorSpace, path: String, _ place: IndexPlace, maker: any VectorIndexMaker, state: ShardState
    ) -> Restored? {
        do throws(KithError) {
            return try load(space, path: path, place, maker: maker, state: state)
        } catch {
            shardLog.error("a checkpoint is not to be trusted and is made again", ["path": path, "error": "\(error)"])
            return nil
        }
    }

    /// Nil where there is none.
    ///
    /// - Throws: `CORRUPTION` when it is damaged, or does not match the store.
    static func load(
        _ space: VectorSpace, path: String, _ place: IndexPlace, maker: any VectorIndexMaker, state: ShardState
    ) throws(KithError) -> Restored? {
        let slots = place.slots
        guard let file = try CheckpointFile.open(path) else { return nil }
        let position = file.attributes["position"] ?? 0
        guard position <= state.position, position + 1 >= state.firstPosition,
            let slotCount = file.attributes["slots"].flatMap(UInt32.init(exactly:)), slotCount <= slots
        else {
            throw KithError(
                .dataLoss, .corruption,
                "\(path) tells of position \(position), the store has the commits \(state.firstPosition) to \(state.position)")
        }
        var regions: [String: (memory: GrowableMemory, byteCount: Int)] = [:]
        for (name, capacity) in RowTable.capacities(slots: slots) {
            regions[name] = try file.load("rows.\(name)", capacity: capacity)
        }
        let rows = try RowTable(regions: regions, slotCount: slotCount)
        rows.forgetDeaths(after: position, below: slotCount)
        var sections: [String: (memory: GrowableMemory, byteCount: Int)] = [:]
        for (name, capacity) in maker.sectionCapacities(space) {
            sections[name] = try file.load("index.\(name)", capacity: capacity)
        }
        var attributes: [String: UInt64] = [:]
        for (name, value) in file.attributes where name.hasPrefix("index.") {
            attributes[String(name.dropFirst("index.".count))] = value
        }
        let index = try maker.restore(
            place.context(space, rows.deaths),
            from: RestoredCheckpoint(attributes: attributes, sections: sections))
        return Restored(rows: rows, index: index, position: position, slotCount: slotCount)
    }

    /// Writes what stands at `snapshot`; the linker calls it, so the index holds still. The writer may go on: what it stamps meanwhile
    /// is stamped again when the log is replayed from there. `settle` must make every commit so far durable, so that the file
    /// never knows of a commit that the store could lose.
    func writeCheckpoint(at snapshot: Snapshot, settle: () throws(KithError) -> Void) throws(KithError) {
        let settled = settledSlots(snapshot.slotCount)
        let indexState = index.checkpoint()
        // Sections may own what they hold.
        defer { withExtendedLifetime(indexState) {} }
        var sections: [CheckpointFile.Section] = []
        for (name, bytes) in rows.sections(slotCount: snapshot.slotCount) {
            sections.append(CheckpointFile.Section(name: "rows.\(name)", bytes: bytes))
        }
        for section in indexState.sections {
            sections.append(CheckpointFile.Section(name: "index.\(section.name)", bytes: section.bytes))
        }
        var attributes: [String: UInt64] = ["position": snapshot.position, "slots": UInt64(snapshot.slotCount)]
        for (name, value) in indexState.attributes { attributes["index.\(name)"] = value }
        let next = "\(checkpointPath).next"
        try CheckpointFile.write(to: next, attributes: attributes, sections: sections)
        try settle()
        try SpaceStore.rename(next, to: checkpointPath)
        checkpointPosition.store(snapshot.position, ordering: .releasing)
        checkpointSettledSlots.store(settled, ordering: .relaxed)
    }

    private static func rename(_ from: String, to: String) throws(KithError) {
        guard Glibc.rename(from, to) == 0 else {
            throw KithError(.internal, .storageFailure, "cannot rename \(from) to \(to): errno \(errno)")
        }
    }
}

/// What an index of a space is made over, but for the deaths.
struct IndexPlace {
    let vectors: VectorRows
    /// Rows there can ever be.
    let slots: UInt32
    var reader: (any RowSource)?
    let directory: String

    func context(_ space: VectorSpace, _ deaths: SlotDeaths) -> IndexContext {
        IndexContext(space: space, rows: vectors, deaths: deaths, reader: reader, scratchDirectory: directory)
    }
}
