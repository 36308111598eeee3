internal import CVectorKernels
internal import KithCore

/// Where everything lies in a record: the code, what is known of it, whose it is, and the links.
///
/// A record is whole cache lines and its code begins on one, so that comparing a node touches the fewest. What rounding up
/// leaves over is room for more links. Where links lie in a file of their own, memory is what counts, and nothing is rounded.
struct RecordLayout: Equatable {
    let codeBytes: Int
    let factorsOffset: Int
    /// A word: the slot plus one; zero while the record is free.
    let ownerOffset: Int
    /// In the record, or in the file of links.
    let linksOffset: Int
    let linkCapacity: Int
    /// Bytes from one node's links to the next one's.
    let linksStride: Int
    let hasLinksApart: Bool
    let stride: Int
    /// Records there is address space for.
    let capacity: Int

    private static let line = 64
    /// Links of a record at most: those of the greatest degree, and what rounding up adds.
    static let mostLinks = 256
    /// Bytes of address space of all records.
    private static let regionBytes = 16 * Limits.regionBytes

    init(_ space: VectorSpace, code: UInt8, degree: Int, linksApart: Bool = false) {
        codeBytes = kith_node_bytes(code, space.element.rawValue, space.dimension)
        factorsOffset = (codeBytes + 3) / 4 * 4
        ownerOffset = factorsOffset + MemoryLayout<kith_node_factors>.size
        hasLinksApart = linksApart
        let owned = ownerOffset + MemoryLayout<UInt32>.size
        // A quarter more than pruning leaves, so that a list is pruned once in many links.
        let links = degree + degree / 4
        if linksApart {
            linksOffset = 0
            stride = owned
            linkCapacity = links
            linksStride = links * MemoryLayout<UInt32>.size
        } else {
            linksOffset = owned
            stride = (owned + links * MemoryLayout<UInt32>.size + Self.line - 1) / Self.line * Self.line
            linkCapacity = (stride - owned) / MemoryLayout<UInt32>.size
            linksStride = stride
        }
        capacity = min(Int(Limits.graphSlots), Self.regionBytes / stride)
    }

    init(_ space: VectorSpace, code: UInt8, _ parameters: GraphParameters) {
        self.init(space, code: code, degree: parameters.degree, linksApart: parameters.hasLinksOnDisk)
    }

    var byteCapacity: Int { capacity * stride }
    /// Of the file of links.
    var linksByteCapacity: Int { capacity * linksStride }
}
