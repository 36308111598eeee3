import CMemory
import Glibc
import KithCore

extension File {
    /// Reserves disk blocks for a range, which reads as before. A file system that cannot reserve is left to find them later.
    func allocate(_ range: Range<Int>) throws(KithError) {
        try retried("reserve \(range.count) bytes of", path) {
            let result = kith_file_reserve(descriptor, Int64(range.lowerBound), Int64(range.count))
            return result != 0 && errno == EOPNOTSUPP ? 0 : result
        }
    }

    /// Has the kernel begin to write a range to disk, without waiting for it: best effort.
    func startWriteback(_ range: Range<Int>) {
        _ = kith_file_start_writeback(descriptor, Int64(range.lowerBound), Int64(range.count))
    }

    /// Gives back the disk blocks that lie wholly inside a range. Best effort: a failure costs disk and nothing else.
    static func punchHole(_ path: String, _ range: Range<Int>) {
        // The kernel would write zeros into blocks that lie partly inside.
        let block = 4096
        let start = range.lowerBound.roundedUp(to: block)
        let length = range.upperBound / block * block - start
        guard length > 0, let file = try? File(path, O_RDWR) else { return }
        _ = kith_file_punch_hole(file.descriptor, Int64(start), Int64(length))
    }
}
