#if canImport(Glibc)
    import Glibc
#endif

/// A region that grows without moving: address space is reserved once, pages come when touched.
///
/// Readers may therefore hold pointers while a writer appends, with no lock. Fresh bytes are zero.
/// A checkpoint file can be laid under its start, privately: changes go to memory, never to the file.
public final class GrowableMemory: @unchecked Sendable {
    public let base: UnsafeMutableRawPointer
    public let capacity: Int

    /// Reserves `capacity` bytes, rounded up to whole pages.
    ///
    /// - Throws: `STORAGE_FAILURE` when the kernel refuses the address space.
    public init(capacity: Int) throws(KithError) {
        let page = GrowableMemory.pageSize
        let size = (max(capacity, 1) + page - 1) / page * page
        let address = mmap(
            nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let address, address != MAP_FAILED else {
            throw KithError(
                .resourceExhausted, .storageFailure, "cannot reserve \(size) bytes of address space: errno \(errno)",
                metadata: ["bytes": "\(size)"])
        }
        base = address
        self.capacity = size
    }

    deinit { munmap(base, capacity) }

    /// Asks for huge pages from `offset` on: random reads of a large region then miss fewer translations.
    public func preferHugePages(from offset: Int = 0) {
        if offset < capacity { madvise(base + offset, capacity - offset, MADV_HUGEPAGE) }
    }

    /// Lays `length` bytes of an open file, from a page boundary at `fileOffset`, under the start of the region.
    public func overlay(file descriptor: Int32, fileOffset: Int, length: Int) throws(KithError) {
        guard length > 0 else { return }
        let mapped = mmap(
            base, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, descriptor, off_t(fileOffset))
        guard mapped != MAP_FAILED else {
            throw KithError(.internal, .storageFailure, "cannot map \(length) bytes of a file: errno \(errno)")
        }
    }

    /// Gives pages from `offset` on back to the system; they read as zero afterwards.
    public func discard(from offset: Int) {
        let start = (offset + GrowableMemory.pageSize - 1) / GrowableMemory.pageSize * GrowableMemory.pageSize
        if start < capacity { madvise(base + start, capacity - start, MADV_DONTNEED) }
    }

    /// Takes the whole pages before `offset` out of the process's memory. They read as zero afterwards, those of a file as the file.
    public func releasePages(upTo offset: Int) {
        madvise(base, offset / GrowableMemory.pageSize * GrowableMemory.pageSize, MADV_DONTNEED)
    }

    public static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
}
