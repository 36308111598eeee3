public import KithCore
import KithIndex

/// Vectors of a space in memory: the first few to ask for, the others to index.
public final class VectorSample: @unchecked Sendable {
    public let space: VectorSpace
    private let rows: GrowableMemory
    private let deaths: GrowableMemory
    private var count = 0
    private let capacity: Int

    public init(_ space: VectorSpace, capacity: Int) throws(KithError) {
        self.space = space
        self.capacity = capacity
        rows = try GrowableMemory(capacity: capacity * space.stride)
        deaths = try GrowableMemory(capacity: capacity * MemoryLayout<UInt64>.size)
    }

    public var isFull: Bool { count == capacity }
    /// Vectors there are.
    public var vectors: Int { count }

    /// - Throws: `INVALID_DIMENSION` for a vector of another size.
    public func append(_ vector: [UInt8]) throws(KithError) {
        guard vector.count == space.vectorBytes else {
            throw .invalid(
                .invalidDimension, field: "sample", "has a vector of \(vector.count) bytes, not \(space.vectorBytes)",
                metadata: ["value": "\(vector.count)"])
        }
        guard !isFull else { return }
        vector.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(start: rows.base + count * space.stride, count: bytes.count).copyMemory(from: bytes)
        }
        count += 1
    }

    func query(_ number: Int) -> UnsafeRawPointer { UnsafeRawPointer(rows.base + number * space.stride) }

    var context: IndexContext {
        IndexContext(
            space: space,
            rows: VectorRows(base: UnsafeRawPointer(rows.base + IndexTrial.queries * space.stride), stride: space.stride),
            deaths: SlotDeaths(base: deaths.base.assumingMemoryBound(to: UInt64.self)))
    }

    var snapshot: Snapshot { Snapshot(slotCount: UInt32(max(count - IndexTrial.queries, 0)), position: 1) }
}
