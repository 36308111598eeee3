#if canImport(Glibc)
    import Glibc
#endif
import Foundation
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
    let maintained: MaintainedIndex
    /// Measures the index while it serves.
    let recallMeter: RecallMeter
    let searchRate = SearchRate()
    let checkpointPath: String
    /// The commit up to which the checkpoint on disk is complete; 0 without one.
    let checkpointPosition: Atomic<UInt64>
    /// Slots that had nothing to wait for in the checkpoint, to tell when another is worth its writing.
    let checkpointSettledSlots: Atomic<Int>

    /// Opens a space, from its checkpoint where that is whole and not ahead of the store.
    ///
    /// - Parameters:
    ///   - number: its place in the collection.
    ///   - state: what the store says; a checkpoint that is newer, or older than the log reaches back, is not used.
    ///   - limited: there is a memory budget: nothing is mapped that need not be.
    init(
        _ space: VectorSpace, _ number: Int, directory: String, registry: IndexRegistry, state: ShardState,
        limited: Bool = false
    ) throws(KithError) {
        self.space = space
        segments = try VectorSegments(
            directory: "\(directory)/vectors", stride: space.stride, vectorBytes: space.vectorBytes)
        checkpointPath = "\(directory)/checkpoint"
        tiers = RowTiers(segments, limited: limited)
        let place = IndexPlace(
            vectors: VectorRows(base: segments.base, stride: segments.stride), slots: segments.capacity, reader: tiers,
            directory: directory)
        let restored = SpaceStore.restore(space, path: checkpointPath, place, registry, state: state)
        let rows = if let restored { restored.rows } else { try RowTable(slots: segments.capacity) }
        self.rows = rows
        let make = { @Sendable [tiers] (definition: IndexDefinition) throws(KithError) -> any VectorIndex in
            let index = try registry.maker(definition.kind).make(place.context(space.indexed(by: definition), rows.deaths))
            if tiers.isLimited { (index as? any TieredIndex)?.keepsLinksInMemory = false }
            return index
        }
        let built =
            if let restored { restored.built } else {
                MaintainedIndex.Built(
                    index: try make(space.index), definition: space.index,
                    made: Snapshot(slotCount: state.nextSlots[number], position: state.position))
            }
        if limited { (built.index as? any TieredIndex)?.keepsLinksInMemory = false }
        maintained = MaintainedIndex(built, wanted: space.index, make: make)
        recallMeter = RecallMeter(space, rows.deaths)
        checkpointPosition = Atomic(restored?.position ?? 0)
        checkpointSettledSlots = Atomic(0)
        checkpointSettledSlots.store(settledSlots(restored?.slotCount ?? 0), ordering: .relaxed)
    }

    /// The index that serves searches; another may take its place at any time, so a search asks once.
    var index: any VectorIndex { maintained.live.index }

    /// Vectors that wait to be linked.
    func tail(slotCount: UInt32) -> Int { MaintainedIndex.tail(of: index, slotCount: slotCount) }

    /// Vectors that may still come before searches spend more on the tail than they should.
    func affordableRoom(slotCount: UInt32, _ allowance: TailAllowance) -> Int {
        allowance.vectors(stride: space.stride, searchesPerSecond: searchRate.perSecond()) - tail(slotCount: slotCount)
    }

    /// Slots that are not of the tail.
    func settledSlots(_ slotCount: UInt32) -> Int { Int(slotCount) - tail(slotCount: slotCount) }

    // MARK: Checkpoint

    /// The section that holds, as JSON, what the index was made by.
    private static let definitionSection = "definition"

    struct Restored {
        var rows: RowTable
        var built: MaintainedIndex.Built
        var position: LogPosition
        var slotCount: UInt32
    }

    /// Nil when there is no checkpoint to trust: everything in it can be made again, so damage costs time, never data.
    private static func restore(
        _ space: VectorSpace, path: String, _ place: IndexPlace, _ registry: IndexRegistry, state: ShardState
    ) -> Restored? {
        do throws(KithError) {
            return try load(space, path: path, place, registry, state: state)
        } catch {
            shardLog.error("a checkpoint is not to be trusted and is made again", ["path": path, "error": "\(error)"])
            return nil
        }
    }

    /// Nil where there is none. The index is what the checkpoint says it is, which the definition may have left behind.
    ///
    /// - Throws: `CORRUPTION` when it is damaged, or does not match the store.
    static func load(
        _ space: VectorSpace, path: String, _ place: IndexPlace, _ registry: IndexRegistry, state: ShardState
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
        let definition = try definition(in: file, path: path)
        let space = space.indexed(by: definition)
        let maker = try registry.maker(definition.kind)
        var sections: [String: (memory: GrowableMemory, byteCount: Int)] = [:]
        // Which of them it needs, the index knows.
        for (name, capacity) in maker.sectionCapacities(space) where file.sections.contains("index.\(name)") {
            sections[name] = try file.load("index.\(name)", capacity: capacity)
        }
        var attributes: [String: UInt64] = [:]
        for (name, value) in file.attributes where name.hasPrefix("index.") {
            attributes[String(name.dropFirst("index.".count))] = value
        }
        let index = try maker.restore(
            place.context(space, rows.deaths),
            from: RestoredCheckpoint(attributes: attributes, sections: sections))
        let made = Snapshot(
            slotCount: file.attributes["made.slots"].flatMap(UInt32.init(exactly:)) ?? 0,
            position: file.attributes["made.position"] ?? 0)
        return Restored(
            rows: rows, built: MaintainedIndex.Built(index: index, definition: definition, made: made), position: position,
            slotCount: slotCount)
    }

    private static func definition(
        in file: CheckpointFile.Opened, path: String
    ) throws(KithError) -> IndexDefinition {
        let section = try file.load(definitionSection, capacity: Limits.messageBytes)
        do {
            return try JSONDecoder().decode(
                IndexDefinition.self, from: Data(bytes: section.memory.base, count: section.byteCount))
        } catch {
            throw KithError(.dataLoss, .corruption, "\(path) does not say what its index was made by: \(error)")
        }
    }

    /// Writes what stands at `snapshot`; the linker calls it, so the index holds still. The writer may go on: what it stamps meanwhile
    /// is stamped again when the log is replayed from there. `settle` must make every commit so far durable, so that the file
    /// never knows of a commit that the store could lose.
    func writeCheckpoint(at snapshot: Snapshot, settle: () throws(KithError) -> Void) throws(KithError) {
        let live = maintained.live
        let settled = Int(snapshot.slotCount) - MaintainedIndex.tail(of: live.index, slotCount: snapshot.slotCount)
        let indexState = live.index.checkpoint()
        let definition = try OwnedBytes(SpaceStore.encode(live.definition))
        // Sections may own what they hold.
        defer { withExtendedLifetime((live, indexState, definition)) {} }
        var sections: [CheckpointFile.Section] = []
        for (name, bytes) in rows.sections(slotCount: snapshot.slotCount) {
            sections.append(CheckpointFile.Section(name: "rows.\(name)", bytes: bytes))
        }
        for section in indexState.sections {
            sections.append(CheckpointFile.Section(name: "index.\(section.name)", bytes: section.bytes))
        }
        sections.append(CheckpointFile.Section(name: SpaceStore.definitionSection, bytes: definition.view.bytes))
        var attributes: [String: UInt64] = [
            "position": snapshot.position, "slots": UInt64(snapshot.slotCount), "made.position": live.made.position,
            "made.slots": UInt64(live.made.slotCount),
        ]
        for (name, value) in indexState.attributes { attributes["index.\(name)"] = value }
        let next = "\(checkpointPath).next"
        try CheckpointFile.write(to: next, attributes: attributes, sections: sections)
        try settle()
        try SpaceStore.rename(next, to: checkpointPath)
        checkpointPosition.store(snapshot.position, ordering: .releasing)
        checkpointSettledSlots.store(settled, ordering: .relaxed)
    }

    private static func encode(_ definition: IndexDefinition) throws(KithError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        do { return try encoder.encode(definition) } catch {
            throw KithError(.internal, .storageFailure, "the definition of an index cannot be encoded: \(error)")
        }
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
