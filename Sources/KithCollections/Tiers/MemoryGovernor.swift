internal import CMemory
@preconcurrency import Dispatch
import KithCore
import KithIndex
import KithTelemetry
import Synchronization

/// Keeps collections within their memory budgets, and all of them within the node's: round by round it decides by measured use which
/// segments of vectors may be mapped, and whether links in files are, and gives the rest back to the system.
///
/// Codes and row tables stay in memory whatever the budget: without them nothing can be searched.
final class MemoryGovernor: Sendable {
    private let catalogue: Catalogue
    private let metrics: Metrics
    /// Bytes; 0: none.
    private let nodeBudget: Int
    private let timer: any DispatchSourceTimer
    private let queue: DispatchQueue

    init(catalogue: Catalogue, metrics: Metrics, nodeBudget: Int, interval: DispatchTimeInterval) {
        self.catalogue = catalogue
        self.metrics = metrics
        self.nodeBudget = nodeBudget
        metrics.memoryBudgetBytes.set(nodeBudget)
        queue = DispatchQueue(label: "kith.memory", qos: .utility)
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now(), repeating: interval)
        timer.setEventHandler { [weak self] in self?.round() }
        timer.activate()
    }

    /// Returns when nothing is under way any more.
    func stop() {
        timer.cancel()
        queue.sync {}
    }

    /// What a part of a plan stands for.
    private enum Subject {
        case links(SpaceStore)
        case segment(Int, RowTiers)
    }

    private func round() {
        let collections = catalogue.all
        let budgets = collections.map(\.definition.memoryBudgetBytes)
        metrics.indexMemoryBytes.set(collections.reduce(0) { $0 + $1.fixedMemoryBytes })
        var subjects: [Subject] = []
        var parts: [TierPlan.Part] = []
        for (number, collection) in collections.enumerated() {
            let isLimited = nodeBudget > 0 || budgets[number] > 0
            for space in collection.spaceStores {
                if isLimited { add(space, of: number, &subjects, &parts) } else { space.liftLimits() }
            }
        }
        guard !parts.isEmpty else { return }
        let chosen = TierPlan.choose(
            parts, budgets: zip(budgets, collections).map { $0 > 0 ? max(0, $0 - $1.fixedMemoryBytes) : nil },
            nodeBudget: nodeBudget > 0 ? leftOfNode() : nil)
        carryOut(chosen, subjects)
    }

    private func add(
        _ space: SpaceStore, of collection: Int, _ subjects: inout [Subject], _ parts: inout [TierPlan.Part]
    ) {
        if let index = space.index as? any TieredIndex, index.footprint.linkBytes > 0 {
            // Each step of a walk reads links; a row is read once it is among the nearest.
            subjects.append(.links(space))
            parts.append(
                TierPlan.Part(
                    collection: collection, bytes: index.footprint.linkBytes, heat: .infinity,
                    isInMemory: index.keepsLinksInMemory))
        }
        for (segment, heat) in space.tiers.measure().enumerated() {
            subjects.append(.segment(segment, space.tiers))
            parts.append(
                TierPlan.Part(
                    collection: collection, bytes: space.tiers.segmentBytes, heat: heat,
                    isInMemory: space.tiers.isLimited && space.tiers.isMapped(segment)))
        }
    }

    /// What all that can be on disk may take of the node's budget: what everything else leaves.
    private func leftOfNode() -> Int {
        var memory = ProcessMemory.measure()
        if memory.residentBytes > nodeBudget {
            // Writing and linking leave free memory behind that the allocator would keep for the next time.
            kith_release_freed_memory()
            memory = ProcessMemory.measure()
        }
        metrics.tieredResidentBytes.set(memory.tieredBytes)
        return max(0, nodeBudget - (memory.residentBytes - memory.tieredBytes))
    }

    private func carryOut(_ chosen: Set<Int>, _ subjects: [Subject]) {
        var segments: [ObjectIdentifier: (tiers: RowTiers, wanted: Set<Int>)] = [:]
        for (place, subject) in subjects.enumerated() {
            switch subject {
            case .links(let space): keepLinks(of: space, chosen.contains(place))
            case .segment(let segment, let tiers):
                var entry = segments[ObjectIdentifier(tiers)] ?? (tiers, [])
                if chosen.contains(place) { entry.wanted.insert(segment) }
                segments[ObjectIdentifier(tiers)] = entry
            }
        }
        for (tiers, wanted) in segments.values {
            let changes = tiers.keep(wanted)
            metrics.tierPromotions.add(changes.promoted)
            metrics.tierDemotions.add(changes.demoted)
        }
    }

    private func keepLinks(of space: SpaceStore, _ inMemory: Bool) {
        guard let index = space.index as? any TieredIndex else { return }
        if index.keepsLinksInMemory != inMemory {
            (inMemory ? metrics.tierPromotions : metrics.tierDemotions).add()
            index.keepsLinksInMemory = inMemory
        } else {
            index.releaseLinks()
        }
    }
}

extension SpaceStore {
    /// Bytes of codes, links or lists beside them, ids, versions and deaths; those of an index in the making, too.
    func fixedMemoryBytes(slotCount: UInt32) -> Int {
        [index, maintained.successor].reduce(Int(slotCount) * RowTable.slotBytes) { $0 + ($1?.footprint.memoryBytes ?? 0) }
    }

    /// Bytes of vectors and of links in a file: those that searches may map, and those that they read.
    var tieredBytes: (mapped: Int, read: Int) {
        let vectors = tiers.segmentCount * tiers.segmentBytes
        var bytes = (mapped: tiers.mappedBytes, read: vectors - tiers.mappedBytes)
        guard let index = index as? any TieredIndex else { return bytes }
        if index.keepsLinksInMemory { bytes.mapped += index.footprint.linkBytes } else { bytes.read += index.footprint.linkBytes }
        return bytes
    }

    /// Nothing has a budget: everything may be mapped.
    func liftLimits() {
        tiers.lift()
        if let index = index as? any TieredIndex, !index.keepsLinksInMemory { index.keepsLinksInMemory = true }
    }

    /// What linking has mapped of what is to stay on disk goes again.
    func releaseMapped() {
        tiers.releaseRead()
        for index in [index, maintained.successor] { (index as? any TieredIndex)?.releaseLinks() }
    }
}

extension Collection {
    var spaceStores: [SpaceStore] { shards.flatMap(\.spaces) }

    /// Bytes that stay in memory whatever the budget.
    var fixedMemoryBytes: Int {
        shards.reduce(0) { sum, shard in
            let view = shard.current()
            return zip(shard.spaces, view.slotCounts).reduce(sum) { $0 + $1.0.fixedMemoryBytes(slotCount: $1.1) }
        }
    }
}
