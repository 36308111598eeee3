import Glibc
import KithCore

/// Address space for all segments that may ever be, one after another; each is laid into its place when it comes.
///
/// Where no segment is yet, bytes read as zero, so that a wrong row number gives wrong bytes and never a fault.
final class SegmentMapping: @unchecked Sendable {
    let base: UnsafeRawPointer
    private let byteCount: Int

    init(byteCount: Int) throws(KithError) {
        self.byteCount = byteCount
        let address = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let address, address != MAP_FAILED else {
            throw KithError.system(errno, "cannot reserve \(byteCount) bytes of address space")
        }
        base = UnsafeRawPointer(address)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: base), byteCount) }

    /// Shows `length` bytes of the file at `offset` bytes from the base, for as long as the mapping lives.
    func lay(_ file: File, at offset: Int, length: Int) throws(KithError) {
        precondition(offset >= 0 && offset + length <= byteCount, "a segment beyond the reserved address space")
        let address = UnsafeMutableRawPointer(mutating: base + offset)
        guard mmap(address, length, PROT_READ, MAP_SHARED | MAP_FIXED, file.descriptor, 0) == address else {
            throw KithError.system(errno, "cannot map \(file.path)")
        }
    }
}
