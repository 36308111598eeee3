import Glibc
public import KithCore
import Synchronization

/// Append-only rows of a fixed stride in segment files `<directory>/<8-digit number>.vectors`.
///
/// All segments are mapped read-only, one after another, into one reserved address range: row `n` is at `base + n * stride`
/// for ever, and readers need no lock. Rows become durable with `sync`; a row that no durable batch names may hold anything
/// after a crash. Rows carry no checksum here: whoever names a row keeps one of its vector.
public final class VectorSegments: @unchecked Sendable {
    /// Bytes from one row to the next.
    public let stride: Int
    /// Bytes of a row that are the vector; the rest is zero.
    public let vectorBytes: Int
    /// Rows that there can ever be.
    public let capacity: UInt32

    private let directory: String
    let layout: SegmentLayout
    private let mapping: SegmentMapping
    let files: SegmentFiles
    private let state: Mutex<State>

    /// What writing has changed; the files themselves are written and synced outside the lock.
    private struct State {
        /// Segments on disk and in the mapping.
        var segments = 0
        /// The segment written last, kept open for the next write.
        var current: OpenSegment?
        /// Segments written since the last sync.
        var unsynced: [Int: File] = [:]
        var hasNewNames = false
        /// The failure of a sync. The kernel forgets what it could not write, so no later sync may claim success.
        var failure: KithError?
    }

    private struct OpenSegment {
        let number: Int
        let file: File
        /// Bytes up to which disk blocks are reserved.
        var allocated: Int
    }

    /// Opens the segments of a folder, which is created when missing.
    ///
    /// - Parameters:
    ///   - stride: bytes from one row to the next: a power of two, or a multiple of 64.
    ///   - segmentBytes: bytes of a segment, about; what an existing folder was created with stands.
    ///   - regionBytes: bytes of address space to reserve.
    /// - Throws: `CORRUPTION` naming the file when the folder was made for other rows, or a segment is missing or cut.
    public init(
        directory: String, stride: Int, vectorBytes: Int, segmentBytes: Int = Limits.segmentBytes,
        regionBytes: Int = Limits.regionBytes
    ) throws(KithError) {
        precondition(vectorBytes > 0 && (0...maximumPadding).contains(stride - vectorBytes), "a vector must fill its row")
        try Directory.create(directory)
        let present = try Directory.names(in: directory).filter { $0.hasSuffix(".vectors") }
        let wanted = SegmentLayout(stride: stride, vectorBytes: vectorBytes, segmentBytes: segmentBytes)
        layout = try loadLayout(directory, wanted, isNew: present.isEmpty)
        self.stride = stride
        self.vectorBytes = vectorBytes
        self.directory = directory
        capacity = UInt32(min(regionBytes / stride, Int(Limits.slots)))
        mapping = try SegmentMapping(byteCount: (Int(capacity) * stride).roundedUp(to: layout.segmentBytes))
        files = SegmentFiles(capacity: Int(capacity) / layout.rowsPerSegment + 1)
        for (number, name) in present.enumerated() {
            let file = try File("\(directory)/\(name)", O_RDONLY)
            guard name == fileName(number) else {
                throw KithError.corrupt("\(directory)/\(fileName(number))", "is missing")
            }
            guard try file.size() == layout.segmentBytes else {
                throw KithError.corrupt(file.path, "is not \(layout.segmentBytes) bytes long")
            }
            try mapping.lay(file, at: number * layout.segmentBytes, length: layout.segmentBytes)
            files.append(file)
            // A process that died may have left rows to the page cache alone.
            try file.sync()
        }
        state = Mutex(State(segments: present.count))
    }

    /// The address of row 0.
    public var base: UnsafeRawPointer { mapping.base }

    /// The vector of a row, valid as long as this object; zeros where nothing was written, empty past the capacity.
    public func read(_ slot: UInt32) -> ByteView {
        slot < capacity ? ByteView(start: base + Int(slot) * stride, count: vectorBytes) : .empty
    }

    // MARK: Writing

    /// Writes vectors to consecutive rows from `slot` on, straight from where they lie. One writer at a time.
    ///
    /// - Throws: `STORAGE_FAILURE`, with code `resourceExhausted` when the disk or the capacity is full: rows are then undefined
    ///   and may be written again.
    public func write(_ vectors: UnsafeBufferPointer<ByteView>, at slot: UInt32) throws(KithError) {
        guard Int(slot) + vectors.count <= Int(capacity) else {
            throw KithError(
                .resourceExhausted, .storageFailure, "\(directory) has no room past its \(capacity) rows",
                metadata: ["capacity": "\(capacity)"])
        }
        guard vectors.allSatisfy({ $0.count == vectorBytes }) else {
            throw KithError(.internal, .invalidDimension, "a vector for \(directory) is not \(vectorBytes) bytes long")
        }
        var rest = vectors[...]
        var row = Int(slot)
        while !rest.isEmpty {
            let rowInSegment = row % layout.rowsPerSegment
            let part = rest.prefix(layout.rowsPerSegment - rowInSegment)
            try write(
                UnsafeBufferPointer(rebasing: part), segment: row / layout.rowsPerSegment, offset: rowInSegment * stride)
            rest = rest.dropFirst(part.count)
            row += part.count
        }
    }

    public func write(_ vectors: [ByteView], at slot: UInt32) throws(KithError) {
        try vectors.withUnsafeBufferPointer { vectors throws(KithError) in try write(vectors, at: slot) }
    }

    private func write(_ vectors: UnsafeBufferPointer<ByteView>, segment: Int, offset: Int) throws(KithError) {
        let file = try state.withLock { state throws(KithError) in
            if let failure = state.failure { throw failure }
            return try prepare(segment, from: offset, to: offset + vectors.count * stride, &state)
        }
        // Marked afterwards: a sync that runs meanwhile must not take these rows for synced.
        defer { state.withLock { $0.unsynced[segment] = file } }
        try writeRows(vectors, stride: stride, to: file, at: offset)
    }

    /// The open file of a segment, created with those before it when missing, with disk blocks up to `end`.
    private func prepare(_ number: Int, from start: Int, to end: Int, _ state: inout State) throws(KithError) -> File {
        while state.segments <= number { try create(&state) }
        var segment: OpenSegment
        if let current = state.current, current.number == number {
            segment = current
        } else {
            segment = OpenSegment(number: number, file: try File(path(of: number), O_RDWR), allocated: start)
        }
        if end > segment.allocated {
            // Blocks reserved ahead make a sync cheaper by a sixth, and a full disk is known before it is written to.
            let ahead = min(end.roundedUp(to: Limits.segmentAllocationBytes), layout.segmentBytes)
            try segment.file.allocate(segment.allocated..<ahead)
            segment.allocated = ahead
        }
        state.current = segment
        return segment.file
    }

    /// Adds a segment behind the last: its name appears only when its length is on disk.
    private func create(_ state: inout State) throws(KithError) {
        let number = state.segments
        try File.replace(path(of: number)) { file throws(KithError) in
            try file.truncate(to: layout.segmentBytes)
            try mapping.lay(file, at: number * layout.segmentBytes, length: layout.segmentBytes)
            files.append(file)
        }
        state.segments += 1
        state.hasNewNames = true
    }

    /// Returns when all rows written before will survive a power failure.
    ///
    /// After a failure no rows can be trusted, and every later write and sync throws it again.
    public func sync() throws(KithError) {
        let (files, hasNewNames) = try state.withLock { state throws(KithError) in
            if let failure = state.failure { throw failure }
            defer { (state.unsynced, state.hasNewNames) = ([:], false) }
            return (Array(state.unsynced.values), state.hasNewNames)
        }
        do {
            for file in files { try file.sync() }
            if hasNewNames { try Directory.sync(directory) }
        } catch {
            state.withLock { $0.failure = error }
            throw error
        }
    }

    // MARK: Disk space

    /// Gives back the disk of dead rows, in whole pages; they read as zero from then on.
    ///
    /// Where the file system cannot do so, the rows stay and only disk is lost.
    public func release(slots: Range<UInt32>) {
        let segments = state.withLock { $0.segments }
        var row = Int(slots.lowerBound)
        let end = min(Int(slots.upperBound), segments * layout.rowsPerSegment)
        while row < end {
            let segment = row / layout.rowsPerSegment
            let next = min(end, (segment + 1) * layout.rowsPerSegment)
            let start = segment * layout.rowsPerSegment
            File.punchHole(path(of: segment), (row - start) * stride..<(next - start) * stride)
            row = next
        }
    }

    /// Bytes of disk blocks that the segments take. One system call a segment.
    public var diskBytes: Int {
        (0..<state.withLock { $0.segments }).reduce(0) { sum, number in
            var status = stat()
            return stat(path(of: number), &status) == 0 ? sum + Int(status.st_blocks) * 512 : sum
        }
    }

    private func path(of number: Int) -> String { "\(directory)/\(fileName(number))" }
}

/// Eight digits, so that the order of names is the order of rows.
private func fileName(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".vectors"
}

/// The layout that a folder has, or the one wanted when it is new.
private func loadLayout(_ directory: String, _ wanted: SegmentLayout, isNew: Bool) throws(KithError) -> SegmentLayout {
    let path = "\(directory)/segments"
    if access(path, F_OK) != 0 {
        guard isNew else { throw KithError.corrupt(path, "is missing beside its segments") }
        try wanted.write(to: path)
        try Directory.sync(directory)
    }
    let layout = try SegmentLayout(readingFrom: path)
    guard layout.stride == wanted.stride, layout.vectorBytes == wanted.vectorBytes else {
        throw KithError.corrupt(
            path,
            "describes rows of \(layout.stride) bytes for vectors of \(layout.vectorBytes) bytes, "
                + "not of \(wanted.stride) for \(wanted.vectorBytes)")
    }
    return layout
}
