internal import CVectorKernels
internal import KithCore

/// A graph as named bytes and back. Nothing read back is believed before it is checked: a bad id would be a wild pointer.
extension Graph {
    /// Raised when the layout of the sections changes.
    static let format: UInt64 = 1

    func checkpoint() -> IndexCheckpoint {
        IndexCheckpoint(
            attributes: [
                "format": Self.format, "stride": UInt64(layout.stride), "code": UInt64(records.pointee.code),
                "nodes": UInt64(nodeCount), "linked": UInt64(linkedCount), "entries": UInt64(entryCount),
                "spread": UInt64(spread.bitPattern),
            ],
            sections: [
                IndexCheckpoint.Section(
                    name: "entries", bytes: UnsafeRawBufferPointer(start: entryMemory.base, count: Self.entryBytes))
            ] + nodeSections)
    }

    /// Of a graph with links apart the codes are left out: rows make them again faster than a disk reads them.
    private var nodeSections: [IndexCheckpoint.Section] {
        guard let linkFile else {
            let bytes = UnsafeRawBufferPointer(start: memory.base, count: Int(nodeCount) * layout.stride)
            return [IndexCheckpoint.Section(name: "records", bytes: bytes)]
        }
        return [
            ownersSection,
            IndexCheckpoint.Section(
                name: "links", bytes: UnsafeRawBufferPointer(start: linkFile.base, count: Int(nodeCount) * layout.linksStride)),
        ]
    }

    /// What the sections of a checkpoint may take.
    static func sectionCapacities(_ layout: RecordLayout) -> [String: Int] {
        guard layout.hasLinksApart else { return ["records": layout.byteCapacity, "entries": entryBytes] }
        return [
            "owners": layout.capacity * MemoryLayout<UInt32>.size, "links": layout.linksByteCapacity, "entries": entryBytes,
        ]
    }

    /// - Throws: `CORRUPTION` when anything does not fit. O(links).
    convenience init(
        _ context: IndexContext, _ parameters: GraphParameters, _ checkpoint: RestoredCheckpoint
    ) throws(KithError) {
        let space = context.space
        let code = try parameters.code(for: space)
        let layout = RecordLayout(space, code: code, parameters)
        let attributes = checkpoint.attributes
        guard attributes["format"] == Self.format, attributes["stride"] == UInt64(layout.stride),
            attributes["code"] == UInt64(code), let nodes = attributes["nodes"], nodes <= layout.capacity,
            let linked = attributes["linked"], linked <= layout.capacity, nodes <= linked,
            let entries = attributes["entries"], entries <= Self.entryLimit,
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
            entryMemory: memory("entries", Self.entryBytes, Self.entryBytes), linkFile: linkFile)
        adopt(
            nodeCount: UInt32(nodes), linkedCount: UInt32(linked), entryCount: Int(entries), spread: spread)
        if let linkFile {
            let linkBytes = Int(nodes) * layout.linksStride
            try linkFile.write(memory("links", linkBytes, linkBytes), byteCount: linkBytes)
            let ownerBytes = Int(nodes) * MemoryLayout<UInt32>.size
            try makeRecords(of: memory("owners", ownerBytes, ownerBytes), context)
        }
        try checkInvariants()
        collectFreeNodes()
    }

    /// What must hold between any two links: every record is free or of a slot that is linked, links and entries lead to nodes that
    /// are not free, and nothing follows the end of a list. O(links).
    ///
    /// - Throws: `CORRUPTION`, naming the node.
    func checkInvariants() throws(KithError) {
        let linked = linkedCount
        for node in 0..<nodeCount {
            guard let slot = slot(of: node) else {
                if self.links(of: node).node(at: 0) != nil { throw Self.corrupt("free node \(node) has links") }
                continue
            }
            guard slot < linked else { throw Self.corrupt("node \(node) is of slot \(slot), which is not linked") }
            try checkLinks(of: node)
        }
        for index in 0..<Self.entryLimit {
            guard let node = entry(index) else { continue }
            guard index < entryCount, isTaken(node) else { throw Self.corrupt("entry \(index) leads nowhere") }
        }
    }

    private func isTaken(_ node: UInt32) -> Bool { node < nodeCount && slot(of: node) != nil }

    private func checkLinks(of node: UInt32) throws(KithError) {
        let links = links(of: node)
        var ended = false
        for index in 0..<links.capacity {
            guard let neighbour = links.node(at: index) else {
                ended = true
                continue
            }
            guard !ended, neighbour != node, isTaken(neighbour) else {
                throw Self.corrupt("node \(node) links to \(neighbour), or past its last link")
            }
        }
    }

    static func corrupt(_ description: String) -> KithError {
        KithError(.dataLoss, .corruption, "the checkpoint of a graph is damaged: \(description)")
    }
}
