#if canImport(Glibc)
    internal import Glibc
#endif
internal import CMemory
internal import KithCore
internal import Synchronization

/// Links of a graph in a file without a name: it is gone when the process is, for only checkpoints are worth keeping.
///
/// The linking thread writes through a mapping. Searches walk over the mapping while the links may stay in memory, else they read the
/// file, so that what of it is in memory belongs to the system, which takes it back when it has better use for it.
final class LinkFile: @unchecked Sendable {
    let descriptor: Int32
    let base: UnsafeMutableRawPointer
    private let byteCapacity: Int
    /// Bytes that have their disk blocks: a write to the mapping can then not fail. Only the linking thread adds to it.
    private let reservedBytes = Atomic(0)
    private let mapped = Atomic(true)

    /// Disk taken at a time.
    private static let reservedAhead = 4 << 20

    /// - Parameter directory: on whose file system the links shall lie.
    init(directory: String, byteCapacity: Int) throws(KithError) {
        let file = kith_file_make_unnamed(directory)
        guard file >= 0 else { throw Self.failure("make a file of links in \(directory)") }
        // As long as its mapping, a hole at first: what lies past the end of a file cannot even be read.
        guard ftruncate(file, off_t(byteCapacity)) == 0 else {
            close(file)
            throw Self.failure("make a file of \(byteCapacity) bytes of links")
        }
        guard let address = mmap(nil, byteCapacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0),
            address != MAP_FAILED
        else {
            close(file)
            throw Self.failure("map \(byteCapacity) bytes of links")
        }
        (descriptor, base, self.byteCapacity) = (file, address, byteCapacity)
        madvise(base, byteCapacity, MADV_RANDOM)
    }

    deinit {
        munmap(base, byteCapacity)
        close(descriptor)
    }

    /// Whether searches walk over the mapping.
    var isMapped: Bool {
        get { mapped.load(ordering: .relaxed) }
        set { mapped.store(newValue, ordering: .relaxed) }
    }

    /// Nil where the layout has links in its records.
    convenience init?(_ context: IndexContext, _ layout: RecordLayout) throws(KithError) {
        guard layout.hasLinksApart else { return nil }
        try self.init(directory: context.scratchDirectory, byteCapacity: layout.linksByteCapacity)
    }

    /// Makes sure that so many bytes can be written.
    ///
    /// - Throws: `STORAGE_FAILURE` when the disk is full.
    func reserve(_ byteCount: Int) throws(KithError) {
        let reserved = self.byteCount
        guard byteCount > reserved else { return }
        let end = min(byteCount + Self.reservedAhead, byteCapacity)
        let error = posix_fallocate(descriptor, off_t(reserved), off_t(end - reserved))
        guard error == 0 else {
            throw KithError(.resourceExhausted, .storageFailure, "no disk for \(end) bytes of links: errno \(error)")
        }
        reservedBytes.store(end, ordering: .relaxed)
    }

    /// Writes links that were read back, through the system's cache: none of them comes into the process's memory.
    func write(_ links: UnsafeRawBufferPointer, at offset: Int) throws(KithError) {
        guard let start = links.baseAddress else { return }
        try reserve(offset + links.count)
        var written = 0
        while written < links.count {
            let count = pwrite(descriptor, start + written, links.count - written, off_t(offset + written))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("write links") }
            written += count
        }
    }

    /// Bytes of disk.
    var byteCount: Int { reservedBytes.load(ordering: .relaxed) }

    /// Gives the pages that the mapping holds back to the system's cache; what they hold stays.
    func releasePages() { madvise(base, byteCount, MADV_DONTNEED) }

    private static func failure(_ what: String) -> KithError {
        KithError(.internal, .storageFailure, "cannot \(what): errno \(errno)")
    }
}
