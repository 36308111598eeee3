internal import CVectorKernels
internal import KithCore

/// A graph as named bytes and back. Nothing read back is believed before it is checked: a bad id would be a wild pointer.
extension Graph {
    /// Raised when the layout of the sections changes: of a graph with links apart to 3, when they were packed.
    static func format(_ layout: RecordLayout) -> UInt64 { layout.hasLinksApart ? 3 : 2 }
    /// Nodes whose links, where they lie in a file, are in memory at a time while all are gone through.
    static let nodesBetweenReleases: UInt32 = 1 << 16

    func checkpoint() -> IndexCheckpoint {
        var checkpoint = IndexCheckpoint(
            attributes: [
                "format": Self.format(layout), "stride": UInt64(layout.stride), "code": UInt64(records.pointee.code),
                "nodes": UInt64(nodeCount), "linked": UInt64(linkedCount), "left_out": UInt64(leftOut),
                "beacons": UInt64(beacons.count), "spread": UInt64(spread.bitPattern),
            ],
            sections: [
                section("beacons", beacons.nodeMemory, beacons.count * MemoryLayout<UInt32>.size),
                section("beacon_links", beacons.linkMemory, beacons.count * Beacons.rowBytes),
            ] + nodeSections + hurriedSections)
        if !hurriedNodes.isEmpty { checkpoint.attributes["hurried"] = UInt64(hurriedNodes.count) }
        return checkpoint
    }

    private func section(_ name: String, _ memory: GrowableMemory, _ byteCount: Int) -> IndexCheckpoint.Section {
        IndexCheckpoint.Section(name: name, bytes: UnsafeRawBufferPointer(start: memory.base, count: byteCount))
    }

    /// Of a graph with links apart the codes are left out: rows make them again faster than a disk reads them.
    private var nodeSections: [IndexCheckpoint.Section] {
        guard let linkFile else {
            let bytes = UnsafeRawBufferPointer(start: memory.base, count: Int(nodeCount) * layout.stride)
            return [IndexCheckpoint.Section(name: "records", bytes: bytes)]
        }
        return [ownersSection, PackedLinks.section(self, linkFile)]
    }

    /// What the sections of a checkpoint may take.
    static func sectionCapacities(_ layout: RecordLayout) -> [String: Int] {
        var capacities = ["beacons": Beacons.nodeBytes, "beacon_links": Beacons.linkBytes]
        capacities["hurried"] = layout.capacity * MemoryLayout<UInt32>.size
        if layout.hasLinksApart {
            capacities["owners"] = layout.capacity * MemoryLayout<UInt32>.size
            capacities["links"] = PackedLinks.byteCount(nodes: layout.capacity, links: layout.linkCapacity)
        } else {
            capacities["records"] = layout.byteCapacity
        }
        return capacities
    }

    /// - Throws: `CORRUPTION` when anything does not fit. O(links).
    convenience init(
        _ context: IndexContext, _ parameters: GraphParameters, _ checkpoint: RestoredCheckpoint
    ) throws(KithError) {
        let space = context.space
        let attributes = checkpoint.attributes
        guard let code = try parameters.codes(for: space).first(where: { UInt64($0) == attributes["code"] }) else {
            throw Self.corrupt("its codes are others")
        }
        let layout = RecordLayout(space, code: code, parameters)
        guard attributes["format"] == Self.format(layout), attributes["stride"] == UInt64(layout.stride),
            let nodes = attributes["nodes"], nodes <= layout.capacity,
            let linked = attributes["linked"], linked <= layout.capacity, nodes <= linked,
            let leftOut = attributes["left_out"], leftOut <= linked,
            let beacons = attributes["beacons"], beacons <= Beacons.limit,
            case let hurried = attributes["hurried"] ?? 0, hurried <= nodes,
            let spread = attributes["spread"].flatMap(UInt32.init(exactly:)).map(Float.init(bitPattern:)), spread >= 0,
            spread < .infinity
        else { throw Self.corrupt("its attributes do not fit") }
        func memory(_ name: String, _ byteCount: Int, _ capacity: Int) throws(KithError) -> GrowableMemory {
            guard let memory = checkpoint.memory(name, byteCount: byteCount, capacity: capacity) else {
                throw Self.corrupt("section \(name) does not fit")
            }
            return memory
        }
        let linkFile = try LinkFile(context, layout)
        try self.init(
            context, layout: layout, code: code,
            memory: linkFile == nil
                ? memory("records", Int(nodes) * layout.stride, layout.byteCapacity)
                : Graph.emptyRecords(layout),
            beacons: Beacons(
                nodes: memory("beacons", Int(beacons) * MemoryLayout<UInt32>.size, Beacons.nodeBytes),
                links: memory("beacon_links", Int(beacons) * Beacons.rowBytes, Beacons.linkBytes), count: Int(beacons)),
            linkFile: linkFile)
        adopt(
            nodeCount: UInt32(nodes), linkedCount: UInt32(linked), leftOut: UInt32(leftOut), spread: spread)
        if let linkFile {
            guard let links = checkpoint.sections["links"] else { throw Self.corrupt("it has no links") }
            try PackedLinks.unpack(links, nodes: Int(nodes), layout, into: linkFile)
            let ownerBytes = Int(nodes) * MemoryLayout<UInt32>.size
            try makeRecords(of: memory("owners", ownerBytes, ownerBytes), context)
        }
        if hurried > 0 {
            let bytes = Int(hurried) * MemoryLayout<UInt32>.size
            let memory = try memory("hurried", bytes, bytes)
            hurriedNodes = (0..<Int(hurried)).map { memory.base.load(fromByteOffset: $0 * 4, as: UInt32.self) }
        }
        collectFreeNodes()
        try checkInvariants()
    }

    /// What must hold between any two links: every linked slot has one record, but for those that died; every other record is free, once;
    /// links and beacons lead to records that are not free, and nothing follows the end of a list. O(links).
    ///
    /// - Throws: `CORRUPTION`, naming the node.
    func checkInvariants() throws(KithError) {
        // As bits, which the cache holds: to ask the records themselves, far apart, took most of the time of a start.
        let taken = try checkOwners()
        try checkUnowned(taken)
        try checkHurried(taken)
        for node in 0..<nodeCount {
            try checkLinks(of: node, taken)
            // A pass over all links shall not bring all of them into memory.
            if node % Self.nodesBetweenReleases == 0 { linkFile?.releasePages() }
        }
        linkFile?.releasePages()
        try beacons.check(isTaken: taken.contains)
    }

    /// The nodes that are taken.
    private func checkOwners() throws(KithError) -> BitSet {
        let linked = linkedCount
        var owners = BitSet()
        var taken = BitSet()
        var takenCount: UInt32 = 0
        for node in 0..<nodeCount {
            guard let slot = slot(of: node) else { continue }
            guard slot < linked else { throw Self.corrupt("node \(node) is of slot \(slot), which is not linked") }
            guard owners.insert(slot) else { throw Self.corrupt("node \(node) is of slot \(slot), which has another") }
            taken.insert(node)
            takenCount += 1
        }
        guard takenCount + leftOut == linked else {
            throw Self.corrupt("of \(linked) linked slots \(takenCount) have a node, and \(leftOut) are to have none")
        }
        return taken
    }

    private func checkUnowned(_ taken: BitSet) throws(KithError) {
        var unowned = BitSet()
        for node in unownedNodes {
            guard node < nodeCount, !taken.contains(node), unowned.insert(node) else {
                throw Self.corrupt("node \(node) counts as free, and is not, or counts twice")
            }
        }
        for node in 0..<nodeCount where !taken.contains(node) && !unowned.contains(node) {
            throw Self.corrupt("node \(node) is of no slot, and is not free")
        }
    }

    private func checkHurried(_ taken: BitSet) throws(KithError) {
        var hurried = BitSet()
        for node in hurriedNodes {
            guard taken.contains(node), hurried.insert(node) else {
                throw Self.corrupt("node \(node) is to be linked with care, and is free, or counts twice")
            }
        }
    }

    private func checkLinks(of node: UInt32, _ taken: BitSet) throws(KithError) {
        let links = links(of: node)
        let count = links.count
        guard count == 0 || taken.contains(node) else { throw Self.corrupt("free node \(node) has links") }
        for index in 0..<count {
            guard let neighbour = links.node(at: index), neighbour != node, taken.contains(neighbour) else {
                throw Self.corrupt("node \(node) links to itself or to what is no node")
            }
        }
        for index in count..<links.capacity where !links.endsSoundly(after: index) {
            throw Self.corrupt("node \(node) has something behind its last link")
        }
    }

    static func corrupt(_ description: String) -> KithError {
        KithError(.dataLoss, .corruption, "the checkpoint of a graph is damaged: \(description)")
    }
}
