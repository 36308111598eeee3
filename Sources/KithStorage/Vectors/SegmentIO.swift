import Glibc
import KithCore

/// Pieces of memory that one system call takes (`IOV_MAX`).
private let piecesPerCall = 1024

/// Writes each vector and then zeros up to the stride, from where the vectors lie.
func writeRows(
    _ vectors: UnsafeBufferPointer<ByteView>, stride: Int, to file: File, at offset: Int
) throws(KithError) {
    try withUnsafeTemporaryAllocation(of: iovec.self, capacity: piecesPerCall) { pieces throws(KithError) in
        var written = 0
        while written < vectors.count * stride {
            let count = gather(vectors, stride: stride, from: written, into: pieces)
            written += try retried("write", file.path) {
                pwritev(file.descriptor, pieces.baseAddress, Int32(count), off_t(offset + written))
            }
        }
    }
}

/// Lists the memory to be written from byte `start` of the rows on, as much as fits one call: a write may have ended anywhere.
private func gather(
    _ vectors: UnsafeBufferPointer<ByteView>, stride: Int, from start: Int, into pieces: UnsafeMutableBufferPointer<iovec>
) -> Int {
    var count = 0
    var skipped = start % stride
    for vector in vectors.dropFirst(start / stride) {
        guard count + 2 <= pieces.count else { break }
        if let address = vector.bytes.baseAddress, skipped < vector.count {
            pieces[count] = iovec(
                iov_base: UnsafeMutableRawPointer(mutating: address + skipped), iov_len: vector.count - skipped)
            count += 1
        }
        let padding = stride - max(vector.count, skipped)
        if padding > 0 {
            pieces[count] = iovec(iov_base: zeros, iov_len: padding)
            count += 1
        }
        skipped = 0
    }
    return count
}

/// The most that a row is longer than its vector.
let maximumPadding = 64

private nonisolated(unsafe) let zeros: UnsafeMutableRawPointer = calloc(1, maximumPadding)
