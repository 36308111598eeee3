internal import CMemory
internal import CVectorKernels
internal import KithCore
internal import Synchronization

/// One level of near neighbours: records of fixed size in a region that grows without moving.
///
/// One thread (and those it waits for) writes; any number walk beside it, without a lock. Links and owners are atomics,
/// stored with release after all they lead to. A list being rewritten may show old and new links mixed, which a walk survives.
final class Graph: @unchecked Sendable {
    let layout: RecordLayout
    let memory: GrowableMemory
    /// Where walks begin.
    let beacons: Beacons
    /// Where the links are, unless in the records.
    let linkFile: LinkFile?
    /// How codes are compared, as the kernels want to be told; lives as long as the graph. The second reads links from their file.
    let records: UnsafePointer<kith_records>
    let element: UInt8

    // Of the thread that links.
    /// Records in use or free again.
    private(set) var nodeCount: UInt32 = 0
    private var freeNodes: [UInt32] = []
    private var retiredNodes: [UInt32] = []
    /// The dead that are on their way out: nothing may link to them any more. Changes only while no other thread links.
    var leaving = BitSet()
    /// Nodes linked in a hurry that wait to be linked with care.
    var hurriedNodes: [UInt32] = []
    /// Linked slots without a record: dead when their turn came, or gone since.
    private(set) var leftOut: UInt32 = 0
    private let damaged = Atomic(false)
    private let linked = Atomic<UInt32>(0)
    private let published = Atomic<UInt32>(0)
    private let spreadBits = Atomic<UInt32>(0)

    /// - Throws: `METRIC_MISMATCH` when the metric does not compare the element type.
    init(
        _ context: IndexContext, layout: RecordLayout, code: UInt8, memory: GrowableMemory, beacons: Beacons,
        linkFile: LinkFile? = nil
    ) throws(KithError) {
        let space = context.space
        self.layout = layout
        self.memory = memory
        self.beacons = beacons
        self.linkFile = linkFile
        element = space.element.rawValue
        var records = kith_records(
            base: memory.base.assumingMemoryBound(to: UInt8.self), stride: layout.stride,
            code_bytes: UInt32(layout.codeBytes), factors_offset: UInt32(layout.factorsOffset),
            links: ((linkFile?.base ?? memory.base) + layout.linksOffset).assumingMemoryBound(to: UInt8.self),
            links_stride: layout.linksStride, link_capacity: UInt32(layout.linkCapacity), links_file: -1,
            capacity: UInt32(layout.capacity), dimension: UInt32(space.dimension), code: code, metric: space.metric.rawValue,
            compared_bytes: 0, distances: nil, distance: nil)
        guard kith_records_bind(&records, element, context.rows.kernel?.pointee.distance) else {
            throw .invalid(.metricMismatch, field: "metric", "\(space.metric) does not compare \(space.element) vectors")
        }
        let place = UnsafeMutablePointer<kith_records>.allocate(capacity: 2)
        place.initialize(repeating: records, count: 2)
        place[1].links_file = linkFile?.descriptor ?? -1
        self.records = UnsafePointer(place)
    }

    deinit { records.deallocate() }

    /// An empty graph.
    ///
    /// - Parameter code: one that the parameters allow; nil: the first of these.
    convenience init(_ context: IndexContext, _ parameters: GraphParameters, code: UInt8? = nil) throws(KithError) {
        let space = context.space
        let code = if let code { code } else { try parameters.code(for: space) }
        let layout = RecordLayout(space, code: code, parameters)
        try self.init(
            context, layout: layout, code: code, memory: Graph.emptyRecords(layout),
            beacons: Beacons(), linkFile: LinkFile(context, layout))
    }

    /// What nodes hold of a vector.
    var code: UInt8 { records.pointee.code }

    /// What a search walks over: links where they may be mapped, else their file.
    var searchRecords: UnsafePointer<kith_records> { linkFile?.isMapped == false ? records + 1 : records }

    static func emptyRecords(_ layout: RecordLayout) throws(KithError) -> GrowableMemory {
        let memory = try GrowableMemory(capacity: layout.byteCapacity)
        memory.preferHugePages()
        return memory
    }

    // MARK: Reading

    /// Slots below this are linked or dead.
    var linkedCount: UInt32 { linked.load(ordering: .acquiring) }

    /// Records that a walk may meet.
    var publishedNodes: UInt32 { published.load(ordering: .acquiring) }

    /// By how much distances grow with their rank: the mean of ln(farther / nearer) / ln(its rank / the nearer's rank), which is one
    /// over the intrinsic dimension of the data as the metric sees it. Zero while unknown.
    var spread: Float { Float(bitPattern: spreadBits.load(ordering: .relaxed)) }

    @inline(__always)
    func record(_ node: UInt32) -> UnsafeMutableRawPointer { memory.base + Int(node) * layout.stride }

    /// Whose the record is; nil while it is free.
    @inline(__always)
    func slot(of node: UInt32) -> UInt32? {
        let word = kith_load_acquire_u32(ownerWord(node))
        return word == 0 ? nil : word - 1
    }

    func isLiving(_ node: UInt32, _ deaths: SlotDeaths) -> Bool { slot(of: node).map { !deaths.isDead($0) } ?? false }

    @inline(__always)
    func links(of node: UInt32) -> NodeLinks {
        NodeLinks(
            words: ((linkFile?.base ?? memory.base) + Int(node) * layout.linksStride + layout.linksOffset)
                .assumingMemoryBound(to: UInt32.self),
            capacity: layout.linkCapacity, nodeLimit: UInt32(layout.capacity))
    }

    /// Begins to fetch what comparing a node reads.
    @inline(__always)
    func fetchCode(of node: UInt32) {
        for line in stride(from: 0, to: Int(records.pointee.compared_bytes), by: 64) { kith_prefetch(record(node) + line) }
    }

    /// Begins to fetch the list of a node.
    @inline(__always)
    func fetchLinks(of node: UInt32) {
        let words = links(of: node).words
        for word in stride(from: 0, to: layout.linkCapacity, by: 16) { kith_prefetch(words + word) }
    }

    private func ownerWord(_ node: UInt32) -> UnsafeMutablePointer<UInt32> {
        (record(node) + layout.ownerOffset).assumingMemoryBound(to: UInt32.self)
    }

    // MARK: Writing, by the linking thread

    /// Makes sure that so many more nodes have room for their links.
    ///
    /// - Throws: `STORAGE_FAILURE` when the disk is full.
    func reserveLinks(nodes: Int) throws(KithError) {
        try linkFile?.reserve(min(Int(nodeCount) + nodes, layout.capacity) * layout.linksStride)
    }

    /// A record for a slot, with its code and without links; nil when the region is full.
    func addNode(_ slot: UInt32, row: UnsafeRawPointer, components: UnsafeMutablePointer<Float>) -> UInt32? {
        let node: UInt32
        if let free = freeNodes.popLast() {
            node = free
        } else {
            guard Int(nodeCount) < layout.capacity else { return nil }
            node = nodeCount
            nodeCount += 1
        }
        encode(node, slot: slot, row: row, components: components)
        return node
    }

    /// Makes a record's code, and then its owner.
    func encode(_ node: UInt32, slot: UInt32, row: UnsafeRawPointer, components: UnsafeMutablePointer<Float>) {
        let record = record(node)
        kith_node_encode(
            records, element, row, components, record.assumingMemoryBound(to: UInt8.self),
            (record + layout.factorsOffset).assumingMemoryBound(to: kith_node_factors.self))
        kith_store_release_u32(ownerWord(node), slot + 1)
    }

    /// Takes the owners and links from the nodes that leave. Searches may still stand on them.
    func retireLeavingNodes() {
        let nodes = leaving.elements
        for node in nodes {
            kith_store_release_u32(ownerWord(node), 0)
            links(of: node).truncate(to: 0)
        }
        hurriedNodes.removeAll(where: leaving.contains)
        retiredNodes += nodes
        leftOut += UInt32(nodes.count)
        leaving.removeAll()
    }

    /// A slot has died before it was linked, and gets no record.
    func leaveOut() { leftOut += 1 }

    /// Whether a list was read that nobody can have written: the disk that links lie on is failing.
    var isDamaged: Bool { damaged.load(ordering: .relaxed) }

    /// Called by any thread that links.
    func noteDamage() { damaged.store(true, ordering: .relaxed) }

    /// Records that no slot has, or is to have before searches have left them.
    var unownedNodes: [UInt32] { freeNodes + retiredNodes }

    /// The retired are out of every search's sight: their records may be used again.
    func freeRetiredNodes() {
        freeNodes += retiredNodes
        retiredNodes.removeAll()
    }

    /// Finds the free records of a graph that was read back.
    func collectFreeNodes() { freeNodes = (0..<nodeCount).filter { slot(of: $0) == nil } }

    func publish(linkedCount: UInt32) {
        published.store(nodeCount, ordering: .releasing)
        linked.store(linkedCount, ordering: .releasing)
    }

    func publish(spread: Float) { spreadBits.store(spread.bitPattern, ordering: .relaxed) }

    /// Takes over counts read from a checkpoint, before anybody walks.
    func adopt(nodeCount: UInt32, linkedCount: UInt32, leftOut: UInt32, spread: Float) {
        self.nodeCount = nodeCount
        self.leftOut = leftOut
        publish(spread: spread)
        publish(linkedCount: linkedCount)
    }
}

/// The links of one node: ids plus one, so that zero, what fresh memory holds, ends the list.
///
/// They may lie in a file. A word that no node has, which only a failing disk makes up, ends the list too.
struct NodeLinks {
    let words: UnsafeMutablePointer<UInt32>
    let capacity: Int
    /// Nodes there can ever be.
    let nodeLimit: UInt32

    /// The node at an index, nil past the last.
    @inline(__always)
    func node(at index: Int) -> UInt32? {
        if index == capacity { return nil }
        let node = kith_load_acquire_u32(words + index) &- 1
        return node < nodeLimit ? node : nil
    }

    /// Whether the list, of so many links, ends as one that was written.
    func endsSoundly(after count: Int) -> Bool { count == capacity || kith_load_acquire_u32(words + count) == 0 }

    @inline(__always)
    func store(_ node: UInt32, at index: Int) { kith_store_release_u32(words + index, node + 1) }

    /// Ends the list at `count`.
    func truncate(to count: Int) {
        for index in count..<capacity { kith_store_release_u32(words + index, 0) }
    }

    var count: Int {
        var count = 0
        while node(at: count) != nil { count += 1 }
        return count
    }

    func contains(_ node: UInt32) -> Bool {
        var index = 0
        while let other = self.node(at: index) {
            if other == node { return true }
            index += 1
        }
        return false
    }
}
