internal import CVectorKernels
internal import KithCore
internal import Synchronization

/// The memory of one search of inverted lists, beside that of any search.
final class IVFScratch {
    let query = CodeQuery()
    let rows: RowBuffer
    let codes = CodeScratch()
    /// The lists to search.
    var lists = NearestRanks()
    /// Room for the query as centres are compared with it, for distances to centres, and for estimates of a block.
    private(set) var aligned: UnsafeMutablePointer<Float>
    private(set) var toCentres: UnsafeMutablePointer<Float>
    let estimates: UnsafeMutablePointer<Float>
    private var width = 0
    private var listCount = 0

    init(_ context: IndexContext) {
        rows = RowBuffer(context)
        aligned = .allocate(capacity: 1)
        toCentres = .allocate(capacity: 1)
        estimates = .allocate(capacity: InvertedLists.blockEntries)
    }

    deinit {
        aligned.deallocate()
        toCentres.deallocate()
        estimates.deallocate()
    }

    func prepare(width: Int, listCount: Int) {
        if width > self.width {
            aligned.deallocate()
            aligned = .allocate(capacity: width)
            self.width = width
        }
        if listCount > self.listCount {
            toCentres.deallocate()
            toCentres = .allocate(capacity: listCount)
            self.listCount = listCount
        }
    }
}

/// Lends such memory; keeps at most `Limits.searchScratches`.
final class IVFScratchPool: Sendable {
    /// One search at a time holds a box.
    private final class Box: @unchecked Sendable {
        let scratch: IVFScratch

        init(_ context: IndexContext) { scratch = IVFScratch(context) }
    }

    private let context: IndexContext
    private let free = Mutex<[Box]>([])

    init(_ context: IndexContext) { self.context = context }

    func withScratch<Result>(_ body: (IVFScratch) throws(KithError) -> Result) throws(KithError) -> Result {
        let box = free.withLock { $0.popLast() } ?? Box(context)
        defer {
            free.withLock { boxes in
                if boxes.count < Limits.searchScratches { boxes.append(box) }
            }
        }
        return try body(box.scratch)
    }
}
