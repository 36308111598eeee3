import CVectorKernels
import KithCore
import KithIndex

/// Vectors in memory, as a collection would hold them.
final class VectorSet: @unchecked Sendable {
    let space: VectorSpace
    let count: Int
    private let memory: GrowableMemory
    private let deathMemory: GrowableMemory

    /// All zero, to be filled by `set`.
    init(_ space: VectorSpace, count: Int) throws(KithError) {
        self.space = space
        self.count = count
        memory = try GrowableMemory(capacity: count * space.stride)
        deathMemory = try GrowableMemory(capacity: count * MemoryLayout<UInt64>.stride)
    }

    /// Some rows of another set, in the order given.
    convenience init(_ rows: [Int], of other: VectorSet) throws(KithError) {
        try self.init(other.space, count: rows.count)
        for (index, row) in rows.enumerated() {
            (memory.base + index * space.stride).copyMemory(from: other.row(row), byteCount: space.stride)
        }
    }

    /// What an index over these vectors is made of.
    var context: IndexContext {
        IndexContext(
            space: space, rows: VectorRows(base: UnsafeRawPointer(memory.base), stride: space.stride),
            deaths: SlotDeaths(base: deathMemory.base.assumingMemoryBound(to: UInt64.self)))
    }

    var snapshot: Snapshot { Snapshot(slotCount: UInt32(count), position: 1) }

    func row(_ index: Int) -> UnsafeRawPointer { UnsafeRawPointer(memory.base + index * space.stride) }

    func bytes(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: row(index), count: space.vectorBytes)
    }

    /// Stores components in the space's element type.
    func set(_ index: Int, _ components: UnsafePointer<Float>) throws(KithError) {
        let place = memory.base + index * space.stride
        let done = kith_vector_narrow(space.element.rawValue, components, space.dimension, place)
        guard done == space.dimension else {
            throw .usage("vector \(index): component \(done), \(components[done]), does not fit \(space.element)")
        }
    }

    /// The distance from a query of the same space; smaller is nearer.
    func distance(_ query: UnsafeRawPointer, _ index: Int) -> Float {
        let element = space.element.rawValue
        let metric = space.metric.rawValue
        guard let kernel = kith_kernel_for(element, metric) else { return .infinity }
        return kernel.pointee.distance(
            query, row(index), space.dimension, kith_query_scale(element, metric, query, space.dimension))
    }
}
