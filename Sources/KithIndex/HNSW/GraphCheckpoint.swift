internal import KithCore

/// A graph as named bytes and back. Nothing read back is believed before it is checked: a bad id would be a wild pointer.
extension Graph {
    /// Raised when the layout of the sections changes.
    static let format: UInt64 = 1

    func checkpoint() -> IndexCheckpoint {
        let linked = Int(linkedCount)
        let entry = entryPoint
        return IndexCheckpoint(
            attributes: [
                "format": Graph.format, "m": UInt64(m), "linked": UInt64(linked), "upper_lists": UInt64(upperListCount),
                "entry_slot": UInt64(entry?.slot ?? 0), "entry_levels": UInt64((entry?.level ?? -1) + 1),
            ],
            sections: [
                section("base", base, linked * 2 * m * 4),
                section("upper", upper, upperListCount * m * 4),
                section("nodes", nodes, linked * 8),
            ])
    }

    private func section(_ name: String, _ memory: GrowableMemory, _ byteCount: Int) -> IndexCheckpoint.Section {
        IndexCheckpoint.Section(name: name, bytes: UnsafeRawBufferPointer(start: memory.base, count: byteCount))
    }

    /// - Throws: `CORRUPTION` when anything does not fit. O(links).
    convenience init(m: Int, _ checkpoint: RestoredCheckpoint) throws(KithError) {
        let capacities = Graph.capacities(m: m)
        let attributes = checkpoint.attributes
        guard attributes["format"] == Graph.format, attributes["m"] == UInt64(m),
            let linked = attributes["linked"], linked <= Limits.graphSlots,
            let lists = attributes["upper_lists"], lists <= capacities.upper / (m * 4),
            let entrySlot = attributes["entry_slot"], let entryLevels = attributes["entry_levels"],
            entryLevels <= Graph.highestLevel + 1
        else { throw Graph.corrupt("its attributes do not fit") }

        func memory(_ name: String, _ byteCount: Int, _ capacity: Int) throws(KithError) -> GrowableMemory {
            guard let section = checkpoint.sections[name], section.byteCount == byteCount, section.memory.capacity >= capacity
            else { throw Graph.corrupt("section \(name) does not fit") }
            section.memory.clearPage(after: byteCount)
            return section.memory
        }
        self.init(
            m: m, base: try memory("base", Int(linked) * 2 * m * 4, capacities.base),
            upper: try memory("upper", Int(lists) * m * 4, capacities.upper),
            nodes: try memory("nodes", Int(linked) * 8, capacities.nodes))

        var entry: EntryPoint?
        if entryLevels > 0 {
            guard entrySlot < linked else { throw Graph.corrupt("its entry point does not exist") }
            entry = EntryPoint(slot: UInt32(entrySlot), level: Int(entryLevels) - 1)
        }
        adopt(linkedCount: UInt32(linked), entryPoint: entry, upperListCount: Int(lists))
        try checkInvariants()
    }

    /// What must hold between any two links: the entry point is a node of the highest level, lists lie in their region,
    /// and links lead to other nodes of their layer. O(links).
    ///
    /// - Throws: `CORRUPTION`, naming the slot.
    func checkInvariants() throws(KithError) {
        let linked = linkedCount
        var highest = -1
        for slot in 0..<linked {
            guard let level = level(of: slot) else { continue }
            highest = max(highest, level)
            guard level >= 0, level <= Graph.highestLevel, node(slot) >> 8 <= UInt64(upperListCount),
                Int(node(slot) >> 8) + level <= upperListCount
            else { throw Graph.corrupt("slot \(slot) has no place") }
        }
        guard entryPoint.map({ level(of: $0.slot) == $0.level && $0.level == highest }) ?? (highest == -1) else {
            throw Graph.corrupt("its entry point is not on the highest level")
        }
        for slot in 0..<linked {
            guard let top = level(of: slot) else { continue }
            for layer in 0...top { try checkLinks(of: slot, layer, linked) }
        }
    }

    private func checkLinks(of slot: UInt32, _ layer: Int, _ linked: UInt32) throws(KithError) {
        let links = links(of: slot, level: layer)
        var ended = false
        for index in 0..<links.capacity {
            guard let neighbour = links.slot(at: index) else {
                ended = true
                continue
            }
            guard !ended, neighbour < linked, neighbour != slot, let level = level(of: neighbour), level >= layer else {
                throw Graph.corrupt("slot \(slot) links to \(neighbour) in layer \(layer), or past its last link")
            }
        }
    }

    private static func corrupt(_ description: String) -> KithError {
        KithError(.dataLoss, .corruption, "the checkpoint of a graph is damaged: \(description)")
    }
}

extension GrowableMemory {
    /// Zeroes the rest of the last page that `count` bytes of a file reach into: it holds what follows in the file, and
    /// memory that was never written must be zero.
    fileprivate func clearPage(after count: Int) {
        let end = (count + GrowableMemory.pageSize - 1) / GrowableMemory.pageSize * GrowableMemory.pageSize
        (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: end - count)
    }
}
