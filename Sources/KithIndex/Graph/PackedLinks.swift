internal import KithCore

/// Links as a checkpoint of a graph with links apart has them: of each node one byte that says how many, then each in as many bits as
/// the number of nodes needs. Half of what they take where they are walked over.
enum PackedLinks {
    private static let countBits = 8
    /// Nodes unpacked between two writes.
    private static let nodesAtOnce = 1 << 14
    /// Bytes of a checkpoint behind which its pages are given back.
    private static let bytesBetweenReleases = 4 << 20

    /// Bits of one link among so many nodes.
    static func bits(nodes: Int) -> Int { max(1, Int.bitWidth - max(0, nodes - 1).leadingZeroBitCount) }

    /// Bytes of so many nodes with so many links each.
    static func byteCount(nodes: Int, links: Int) -> Int {
        (nodes * (countBits + links * bits(nodes: nodes)) + 7) / 8
    }

    /// The links of all nodes of a graph, which holds still.
    static func section(_ graph: Graph, _ file: LinkFile) -> IndexCheckpoint.Section {
        let nodes = graph.nodeCount
        let bits = bits(nodes: Int(nodes))
        // As much as they can take: what is not written costs no memory.
        let packed = PackedBytes(capacity: byteCount(nodes: Int(nodes), links: graph.layout.linkCapacity))
        var writer = BitWriter(packed.bytes)
        var list: [UInt32] = []
        for node in 0..<nodes {
            let links = graph.links(of: node)
            list.removeAll(keepingCapacity: true)
            // What only a failing disk makes up ends a list here too, for it would not fit its bits.
            while let other = links.node(at: list.count), other < nodes { list.append(other) }
            writer.append(UInt32(list.count), bits: countBits)
            for other in list { writer.append(other, bits: bits) }
            if node % Graph.nodesBetweenReleases == 0, !file.isMapped { file.releasePages() }
        }
        if !file.isMapped { file.releasePages() }
        let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(packed.bytes)[..<writer.finish()])
        return IndexCheckpoint.Section(name: "links", bytes: bytes, owner: packed)
    }

    /// Fills a file of links.
    ///
    /// - Throws: `CORRUPTION` unless the bytes hold just the lists of the nodes, each with links to such.
    static func unpack(
        _ section: (memory: GrowableMemory, byteCount: Int), nodes: Int, _ layout: RecordLayout, into file: LinkFile
    ) throws(KithError) {
        let bits = bits(nodes: nodes)
        var reader = BitReader(UnsafeRawBufferPointer(start: section.memory.base, count: section.byteCount))
        let words = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: min(nodes, nodesAtOnce) * layout.linkCapacity)
        defer { words.deallocate() }
        var released = 0
        for start in stride(from: 0, to: nodes, by: nodesAtOnce) {
            let end = min(start + nodesAtOnce, nodes)
            words.update(repeating: 0)
            for node in start..<end {
                guard let count = reader.next(bits: countBits), count <= layout.linkCapacity else {
                    throw Graph.corrupt("node \(node) has more links than there is room for")
                }
                for index in 0..<Int(count) {
                    guard let other = reader.next(bits: bits), other < nodes else {
                        throw Graph.corrupt("node \(node) links to what is no node")
                    }
                    words[(node - start) * layout.linkCapacity + index] = other + 1
                }
            }
            let filled = UnsafeMutableBufferPointer(rebasing: words[..<((end - start) * layout.linkCapacity)])
            try file.write(UnsafeRawBufferPointer(filled), at: start * layout.linksStride)
            if reader.offset - released >= bytesBetweenReleases {
                section.memory.releasePages(upTo: reader.offset)
                released = reader.offset
            }
        }
        guard reader.isAtEnd else { throw Graph.corrupt("something follows its links") }
    }
}

/// Links on their way into a checkpoint.
private final class PackedBytes {
    let bytes: UnsafeMutableRawBufferPointer

    init(capacity: Int) { bytes = .allocate(byteCount: capacity, alignment: 1) }
    deinit { bytes.deallocate() }
}
