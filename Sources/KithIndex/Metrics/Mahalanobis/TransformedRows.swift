#if canImport(Glibc)
    internal import Glibc
#endif
internal import CVectorKernels
internal import KithCore
internal import Synchronization

/// The rows of a space multiplied with a matrix, as float32, for an index to be made over. One thread adds rows, any number read them.
final class TransformedRows: @unchecked Sendable {
    /// Rows that a transform is learned from, at most, and at least.
    static let sampleRows = 4_096
    static let fewestRows: UInt32 = 1_024

    let source: IndexContext
    private let memory: GrowableMemory
    private let stride: Int
    private let published = Atomic<UInt32>(0)
    private let learned: Mutex<LinearTransform?>
    /// Rows there were when the transform was learned; 0: it was given.
    private let learnedCount: Atomic<UInt32>

    init(_ source: IndexContext, _ transform: LinearTransform?, learnedFrom: UInt32? = nil) throws(KithError) {
        learnedCount = Atomic(learnedFrom ?? 0)
        self.source = source
        var space = source.space
        space.element = .float32
        stride = space.stride
        memory = try GrowableMemory(capacity: Limits.regionBytes)
        learned = Mutex(transform)
    }

    /// Nil until it is learned.
    var transform: LinearTransform? { learned.withLock { $0 } }
    /// How many rows there were when it was learned; nil where it was not.
    var learnedFrom: UInt32? {
        let count = learnedCount.load(ordering: .relaxed)
        return count == 0 ? nil : count
    }
    /// Rows that are there.
    var count: UInt32 { published.load(ordering: .acquiring) }
    var memoryBytes: Int { Int(count) * stride }
    /// Rows there is room for.
    var limit: UInt32 { UInt32(min(Int(Limits.graphSlots), memory.capacity / stride)) }

    func context(_ space: VectorSpace) -> IndexContext {
        var context = source
        context.space = space
        context.rows = VectorRows(base: UnsafeRawPointer(memory.base), stride: stride)
        context.reader = nil
        return context
    }

    /// Adds the rows below `end`, learning the transform first, from all `slotCount` vectors, where it is not there.
    func advance(upTo end: UInt32, of slotCount: UInt32) {
        guard let transform = transform ?? learn(upTo: slotCount) else { return }
        let (first, last) = (count, min(end, limit))
        guard first < last else { return }
        let threads = last - first > TransformedRows.fewestRows ? GentleThreads.standardCount : 1
        GentleThreads.run(Int(last - first), threads: threads) { [self] range in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: source.space.dimension) { spare in
                for index in range {
                    let slot = first + UInt32(index)
                    let place = (memory.base + Int(slot) * stride).assumingMemoryBound(to: Float.self)
                    write(source.rows.row(slot), transform, to: place, spare: spare.baseAddress!)
                }
            }
        }
        published.store(last, ordering: .releasing)
    }

    /// A vector of the space, multiplied with the matrix.
    func write(
        _ vector: UnsafeRawPointer, _ transform: LinearTransform?, to place: UnsafeMutablePointer<Float>,
        spare: UnsafeMutablePointer<Float>
    ) {
        kith_vector_widen(source.space.element.rawValue, vector, source.space.dimension, place)
        transform?.apply(place, spare: spare)
    }

    /// The first of a sample of living rows that is not what the transform makes of its vector. O(dimension squared x sample).
    func firstWrong() -> UInt32? {
        guard let transform, count > 0 else { return nil }
        let dimension = source.space.dimension
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * dimension) { room in
            let place = room.baseAddress!
            return (0..<UInt64(min(count, TransformedRows.fewestRows))).lazy.map { UInt32(mixBits($0) % UInt64(self.count)) }
                .first { slot in
                    if source.deaths.isDead(slot) { return false }
                    write(source.rows.row(slot), transform, to: place, spare: place + dimension)
                    return memcmp(place, memory.base + Int(slot) * stride, dimension * MemoryLayout<Float>.size) != 0
                }
        }
    }

    private func learn(upTo end: UInt32) -> LinearTransform? {
        guard end >= TransformedRows.fewestRows else { return nil }
        let slots = (0..<UInt64(TransformedRows.sampleRows)).map { UInt32(mixBits($0) % UInt64(end)) }
        let living = slots.filter { !source.deaths.isDead($0) }
        guard !living.isEmpty else { return nil }
        let transform = WhiteningLearner.learn(source.rows, living, source.space)
        learnedCount.store(end, ordering: .relaxed)
        learned.withLock { $0 = transform }
        return transform
    }
}
