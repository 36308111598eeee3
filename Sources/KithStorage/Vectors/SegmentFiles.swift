import CMemory
import Glibc
public import KithCore
import Synchronization

/// The open files of segments by number: one thread adds to them, any number read, without a lock.
final class SegmentFiles: @unchecked Sendable {
    private let descriptors: UnsafeMutablePointer<Int32>
    private let capacity: Int
    private let published = Atomic(0)
    /// Keeps them open.
    private var files: [File] = []

    init(capacity: Int) {
        self.capacity = capacity
        descriptors = .allocate(capacity: capacity)
    }

    deinit { descriptors.deallocate() }

    var count: Int { published.load(ordering: .acquiring) }

    func append(_ file: File) {
        precondition(files.count < capacity, "a segment beyond the reserved address space")
        descriptors[files.count] = file.descriptor
        files.append(file)
        published.store(files.count, ordering: .releasing)
    }

    func descriptor(_ number: Int) -> Int32? { number < count ? descriptors[number] : nil }
}

extension VectorSegments {
    /// Rows of one segment file.
    public var rowsPerSegment: Int { layout.rowsPerSegment }
    /// Bytes of one segment file.
    public var segmentBytes: Int { layout.segmentBytes }
    /// Segments there are.
    public var segmentCount: Int { files.count }

    /// Reads rows into `buffer`, one behind another, a stride each, without touching the mapping. Those that no cache has are all
    /// requested before one is waited for.
    ///
    /// - Throws: `STORAGE_FAILURE` when the disk fails; `CORRUPTION` for a row of no segment.
    public func read(_ slots: UnsafeBufferPointer<UInt32>, into buffer: UnsafeMutableRawPointer) throws(KithError) {
        try withUnsafeTemporaryAllocation(of: kith_file_piece.self, capacity: max(slots.count, 1)) { pieces throws(KithError) in
            for (index, slot) in slots.enumerated() {
                guard let file = files.descriptor(Int(slot) / rowsPerSegment) else {
                    throw KithError(.dataLoss, .corruption, "row \(slot) is in none of the \(segmentCount) segments")
                }
                pieces[index] = kith_file_piece(
                    descriptor: file, offset: Int64(Int(slot) % rowsPerSegment * stride), into: buffer + index * stride)
            }
            guard let first = pieces.baseAddress, kith_file_read_pieces(first, slots.count, stride) == 0 else {
                throw KithError.system(errno, "cannot read vectors")
            }
        }
    }

    /// Takes the pages of a segment out of the process; they come back when they are touched, from the system's cache or the file.
    public func releasePages(segment: Int) {
        precondition(segment < segmentCount, "no such segment")
        releasePages(segment * segmentBytes..<(segment + 1) * segmentBytes)
    }

    /// Likewise of bytes from row 0 on, which begin and end with a page.
    public func releasePages(_ bytes: Range<Int>) {
        madvise(UnsafeMutableRawPointer(mutating: base) + bytes.lowerBound, bytes.count, MADV_DONTNEED)
    }
}
