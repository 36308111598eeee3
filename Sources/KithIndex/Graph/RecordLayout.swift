internal import CVectorKernels
internal import KithCore

/// Where everything lies in a record: the code, what is known of it, whose it is, and the links.
///
/// A record is whole cache lines and its code begins on one, so that comparing a node touches the fewest. What rounding up
/// leaves over is room for more links.
struct RecordLayout: Equatable {
    let codeBytes: Int
    let factorsOffset: Int
    /// A word: the slot plus one; zero while the record is free.
    let ownerOffset: Int
    let linksOffset: Int
    let linkCapacity: Int
    let stride: Int
    /// Records there is address space for.
    let capacity: Int

    private static let line = 64
    /// Links of a record at most: those of the greatest degree, and what rounding up adds.
    static let mostLinks = 256
    /// Bytes of address space of all records.
    private static let regionBytes = 16 * Limits.regionBytes

    init(_ space: VectorSpace, code: UInt8, degree: Int) {
        codeBytes = kith_node_bytes(code, space.element.rawValue, space.dimension)
        factorsOffset = (codeBytes + 3) / 4 * 4
        ownerOffset = factorsOffset + MemoryLayout<kith_node_factors>.size
        linksOffset = ownerOffset + MemoryLayout<UInt32>.size
        // A quarter more than pruning leaves, so that a list is pruned once in many links.
        let bytes = linksOffset + (degree + degree / 4) * MemoryLayout<UInt32>.size
        stride = (bytes + Self.line - 1) / Self.line * Self.line
        linkCapacity = (stride - linksOffset) / MemoryLayout<UInt32>.size
        capacity = min(Int(Limits.graphSlots), Self.regionBytes / stride)
    }

    var byteCapacity: Int { capacity * stride }
}
