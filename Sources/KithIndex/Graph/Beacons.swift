internal import CMemory
internal import CVectorKernels
internal import KithCore

/// A small graph over some of the nodes, by which walks find where to begin.
///
/// The nodes of a graph's early days have long links, for all was far when they came, and walks follow them into the right cluster. They
/// die, and those that come later link to their near neighbours alone: a walk that begins in the wrong cluster stays there. So the way into
/// the graph is kept apart from it, as the upper layers of HNSW (Malkov and Yashunin, arXiv 1603.09320) are; but of one layer, and of four
/// times the square root of the nodes, so that comparing each beacon with each costs sixteen comparisons a node.
///
/// The thread that links writes; walks read beside it.
final class Beacons: @unchecked Sendable {
    /// Beacons of the largest graph: four times the root of `Limits.graphSlots`.
    static let limit = 1 << 16
    static let nodeBytes = limit * MemoryLayout<UInt32>.size
    static let linkBytes = limit * rowBytes
    static let rowBytes = linkCount * MemoryLayout<UInt32>.size
    /// Links of a beacon to others.
    static let linkCount = Int(KITH_BEACON_LINKS)
    /// The square of the beacons is so many times the nodes.
    private static let density = 16

    let nodeMemory: GrowableMemory
    let linkMemory: GrowableMemory
    /// What walks read.
    let view: UnsafeMutablePointer<kith_beacons>
    private(set) var count: Int
    /// Beacons that no node is.
    private var vacant: [Int]

    convenience init() throws(KithError) {
        try self.init(nodes: GrowableMemory(capacity: Self.nodeBytes), links: GrowableMemory(capacity: Self.linkBytes), count: 0)
    }

    /// Takes over what was read back.
    init(nodes: GrowableMemory, links: GrowableMemory, count: Int) {
        nodeMemory = nodes
        linkMemory = links
        self.count = count
        view = .allocate(capacity: 1)
        let nodeWords = nodes.base.assumingMemoryBound(to: UInt32.self)
        view.initialize(
            to: kith_beacons(
                nodes: nodeWords, links: links.base.assumingMemoryBound(to: UInt32.self), count: UInt32(count)))
        vacant = (0..<count).filter { nodeWords[$0] == 0 }
    }

    deinit { view.deallocate() }

    private var nodeWords: UnsafeMutablePointer<UInt32> { nodeMemory.base.assumingMemoryBound(to: UInt32.self) }

    /// Which node a beacon is; nil while it is none.
    func node(at index: Int) -> UInt32? {
        let word = kith_load_acquire_u32(nodeWords + index)
        return word == 0 ? nil : word - 1
    }

    /// The beacons that one links to.
    func links(of index: Int) -> NodeLinks {
        NodeLinks(
            words: (linkMemory.base + index * Self.rowBytes).assumingMemoryBound(to: UInt32.self), capacity: Self.linkCount,
            nodeLimit: UInt32(Self.limit))
    }

    /// The beacons that are nodes.
    var present: [Int] { (0..<count).filter { node(at: $0) != nil } }

    /// Beacons that a graph of so many nodes has.
    static func count(ofNodes nodeCount: Int) -> Int {
        min(Int(Double(density * nodeCount).squareRoot().rounded(.up)), limit)
    }

    func wantsMore(nodeCount: UInt32) -> Bool { !vacant.isEmpty || count < Self.count(ofNodes: Int(nodeCount)) }

    /// Makes a node a beacon, without links so far; answers which.
    func add(_ node: UInt32) -> Int {
        let index = vacant.popLast() ?? count
        kith_store_release_u32(nodeWords + index, node + 1)
        if index == count {
            count += 1
            kith_store_release_u32(&view.pointee.count, UInt32(count))
        }
        return index
    }

    /// Puts others in place of nodes that leave; whether there were any. All links are to be made again then.
    func replace(_ leaving: BitSet, by standIn: (_ node: UInt32, _ isFree: (UInt32) -> Bool) -> UInt32?) -> Bool {
        var taken = BitSet()
        var leavers: [Int] = []
        for index in 0..<count {
            guard let node = node(at: index) else { continue }
            taken.insert(node)
            if leaving.contains(node) { leavers.append(index) }
        }
        for index in leavers {
            guard let node = node(at: index) else { continue }
            let other = standIn(node) { !taken.contains($0) }
            if let other { taken.insert(other) } else { vacant.append(index) }
            kith_store_release_u32(nodeWords + index, other.map { $0 + 1 } ?? 0)
        }
        return !leavers.isEmpty
    }

    /// - Throws: `CORRUPTION` where a beacon is no node that `isTaken`, or one that another is too, or links to none.
    func check(isTaken: (UInt32) -> Bool) throws(KithError) {
        var nodes = BitSet()
        for index in 0..<count {
            if let node = node(at: index) {
                guard isTaken(node), nodes.insert(node) else { throw Graph.corrupt("beacon \(index) leads nowhere") }
            }
            let links = links(of: index)
            let linked = links.count
            for place in 0..<linked where links.node(at: place).map({ Int($0) >= count }) ?? true {
                throw Graph.corrupt("beacon \(index) links to none")
            }
            for place in linked..<links.capacity where !links.endsSoundly(after: place) {
                throw Graph.corrupt("beacon \(index) has something behind its last link")
            }
        }
    }
}
